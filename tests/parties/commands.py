"""Running the operators' commands, as people and as scripts do."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def run(*words: str) -> str:
    """Run a command and return what it prints."""
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def run_json(*words: str, code: int = 0) -> Any:
    """Run a command with `--json` and return the one value it prints, ending with this code."""
    out = StringIO()
    if not code:
        call_command(*words, "--json", stdout=out)
        return json.loads(out.getvalue())
    with pytest.raises(SystemExit) as ended:
        call_command(*words, "--json", stdout=out)
    assert ended.value.code == code
    return json.loads(out.getvalue())


def fails(*words: str) -> str:
    """Run a command that fails, for people and for scripts, and return the sentence."""
    with pytest.raises(CommandError) as failed:
        run(*words)
    assert run_json(*words, code=1) == {"error": str(failed.value)}
    assert "\n" not in str(failed.value)
    return str(failed.value)
