"""Beside a hub that runs on this machine: its settings, for `make manage` in another terminal.

A hub that runs has written them down, secrets included, in its data directory (600), and takes the
file away when it ends. What our own terminal has of the hub's settings does not count there: a
command speaks to the very database and broker that the hub has.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from local import environment
from local.data_dir import CHECKOUT, DataDir, of_purpose, write_private
from local.errors import Trouble
from local.processes import run_in_front

_USUAL = ("run", "demo")
"""The purposes under which `make run` and `make demo` start a hub."""
_NOTE = "settings.json"
_NAME = re.compile(r"^#?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
_OF_THE_OWNER = "migrate"


def way(purpose: str) -> str:
    """Return what to type for a command beside the hub of a purpose."""
    named = "" if purpose in _USUAL else f"PURPOSE={purpose} "
    return f'make manage {named}ARGS="platforms"'


@contextmanager
def told(
    data_dir: DataDir, settings: Mapping[str, str], *, owner: Mapping[str, str]
) -> Iterator[None]:
    """Let others find a hub's settings, and what `migrate` has besides, while the block runs."""
    note = data_dir.path / _NOTE
    kept = {name: settings[name] for name in sorted(_names() & settings.keys())}
    write_private(note, json.dumps({"settings": kept, "owner": dict(owner)}))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def manage(words: Sequence[str], *, purpose: str = "") -> int:
    """Run a command of manage.py with the settings of the hub that runs here; return its code.

    Without such a hub the command has our own settings, if any: `--help` needs none.
    """
    command = [sys.executable, str(CHECKOUT / "manage.py"), *words]
    where = _running([of_purpose(each) for each in ([purpose] if purpose else _USUAL)])
    if where is not None:
        return run_in_front(command, environment_of(where, words))
    print("No hub runs here (make run, make demo): the settings are your own.", file=sys.stderr)
    return run_in_front(command, {**os.environ, **environment.python()})


def _running(candidates: Sequence[DataDir]) -> DataDir | None:
    """Return where a hub runs; of two somebody has to say which is meant."""
    found = [each for each in candidates if each.is_locked() and (each.path / _NOTE).exists()]
    if len(found) > 1:
        names = " and ".join(f"`{each.purpose}`" for each in found)
        way_out = f'make manage PURPOSE={found[0].purpose} ARGS="…"'
        raise Trouble(f"{names} are both running here; say which is meant: {way_out}")
    return found[0] if found else None


def environment_of(where: DataDir, words: Sequence[str]) -> Mapping[str, str]:
    """Return the environment of a command; tables are changed as their owner."""
    known = json.loads((where.path / _NOTE).read_text(encoding="utf-8"))
    names = _names()
    ours = {name: text for name, text in os.environ.items() if name not in names}
    owner = known["owner"] if words[:1] == [_OF_THE_OWNER] else {}
    return {**ours, **environment.python(), **known["settings"], **owner}


def _names() -> frozenset[str]:
    """Return the variables that settings are read from; `.env.example` has every setting."""
    names = _NAME.findall((CHECKOUT / ".env.example").read_text(encoding="utf-8"))
    return frozenset(each for name in names for each in (name, f"{name}_FILE"))
