"""Demo processes under test, and the events they print."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Lines = Iterator[dict[str, Any]]


@contextmanager
def process(kind: str, hub: str, *more: str) -> Iterator[tuple[subprocess.Popen[str], Lines]]:
    """Run a demo process, with its events."""
    role = {"cpo": "CPO:NL:CPA", "emsp": "EMSP:DE:MSA", "scsp": "SCSP:NL:SCS"}[kind]
    command = [sys.executable, "-m", "sandbox.demo", "--json", "--role", role, "--hub", hub]
    arguments = [*command, "--token-a", "A", *more]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        try:
            yield running, (json.loads(line) for line in running.stdout)
        finally:
            running.kill()


def until(lines: Lines, event: str) -> list[dict[str, Any]]:
    """Read the events up to this one."""
    events = []
    for line in lines:
        events.append(line)
        if line["event"] == event:
            return events
    message = f"no {event} among {events}"
    raise AssertionError(message)
