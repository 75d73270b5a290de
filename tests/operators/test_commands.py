"""Every command is for people and for scripts, says what it does, and is in the manual."""

from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from parties.management.command import OperatorCommand

MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"
OURS = {name: app for name, app in get_commands().items() if app in {"hub", "parties", "operators"}}


@pytest.mark.parametrize("name", OURS)
def test_a_command_explains_itself_and_has_json(name: str) -> None:
    """One sentence or example of help, every argument explained or named, and `--json`."""
    command = load_command_class(OURS[name], name)
    assert isinstance(command, OperatorCommand)
    parser = command.create_parser("manage.py", name)
    assert command.help in " ".join(parser.format_help().split())
    assert "--json" in parser.format_help()
    silent = [
        action.option_strings
        for action in parser._actions
        if action.option_strings and not action.help
    ]
    assert silent == []


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_in_the_manual_beside_its_page_of_the_console(name: str) -> None:
    """As a row of a table of `docs/operations.md`."""
    rows = [line for line in MANUAL.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert any(f"`manage.py {name}" in row for row in rows)
