"""What the operators' commands print is harmless, whatever a peer wrote (S-20)."""

import json
from argparse import Namespace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper

from hub.management.progress import Bar
from hub.message_log import render
from ocpi.printable import acts
from parties.management.command import OperatorCommand

pytestmark = pytest.mark.security("S-20")

EVIL = "\x1b]0;title\x07\x9b31m\x7f\rforged\u202e\u2028"


class Saying(OperatorCommand[dict[str, Any]]):
    """Prints what a peer said."""

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Return it, or fail with it."""
        if options.verbosity == 0:
            raise ValueError(EVIL)
        return {"said": EVIL}

    def show(self, result: dict[str, Any]) -> None:
        """Print it, and hand it out as a file."""
        self.stdout.write(f"{result['said']}\nnext line", ending="")
        self.stdout.write(result["said"], ending="|")
        self.hand_out(result["said"])


class _Terminal(StringIO):
    def isatty(self) -> bool:
        """Be one."""
        return True


def test_words_are_shown_and_a_file_is_handed_out_as_it_is() -> None:
    """A pipe gets a file byte for byte, a terminal nothing that acts; lines stay lines."""
    pipe, terminal = StringIO(), _Terminal()

    call_command(Saying(), stdout=pipe)
    call_command(Saying(), stdout=terminal)

    shown = pipe.getvalue().removesuffix(EVIL)
    assert shown != pipe.getvalue()
    assert shown.startswith("\\u001b]0;title\\u0007")
    for text in (shown, terminal.getvalue()):
        assert [acts(line) for line in text.split("\n")] == [False, False]


def test_json_is_the_same_json() -> None:
    """What JSON may hold as it is stands there escaped: scripts read the same."""
    out = StringIO()

    call_command(Saying(), "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"said": EVIL}
    assert not any(acts(line) for line in out.getvalue().split("\n"))


def test_a_failure_is_one_harmless_sentence() -> None:
    """Django prints it on standard error as it is."""
    with pytest.raises(CommandError) as failed:
        call_command(Saying(), verbosity=0)

    assert not acts(str(failed.value))


def test_a_bar_stays_on_its_line() -> None:
    """The words beside it neither move the cursor nor begin a line."""
    terminal = _Terminal()

    Bar(OutputWrapper(terminal)).show(0.5, EVIL)

    shown = terminal.getvalue()
    assert not acts(shown.removeprefix("\r").removesuffix("\x1b[K"))


def test_a_table_has_one_line_for_each_row() -> None:
    """No cell begins a line of its own, or moves the others."""
    cells = dict.fromkeys(("platform", "sender", "receiver", "module", "path"), f"{EVIL}\nx")
    row: dict[str, Any] = {
        **cells,
        "at": "2026-01-01T00:00:00.000000",
        "direction": "in",
        "method": "GET",
    }
    row |= {"route": "", "http_status": 200, "status_code": 2001, "milliseconds": 1.0}

    lines = list(render.lines([{**row, "status_message": EVIL}]))

    assert len(lines) == 2
    assert not any(map(acts, lines))
