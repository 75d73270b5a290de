"""`python -m sandbox.demo --role CPO:NL:CPA …`: one simulated platform as a process of its own."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ocpi.types import PartyRef, Role
from sandbox.demo.actor import Plan
from sandbox.demo.events import Events
from sandbox.demo.process import Demo
from sandbox.platform import SandboxPlatform

TOKEN_A = "SANDBOX_TOKEN_A"  # noqa: S105 - the name, not the token
"""The environment variable that keeps a token out of the list of processes."""
DEFAULTS = Plan(hub="", token_a="")


def role(text: str) -> tuple[str, str, str]:
    """Read CPO:NL:CPA."""
    name, _, party = text.partition(":")
    try:
        found = PartyRef.parse(party.replace(":", "-"))
        return Role(name), found.country_code, found.party_id
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a role like CPO:NL:CPA") from error


def party(text: str) -> PartyRef:
    """Read NL-SCS."""
    try:
        return PartyRef.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def rate(text: str) -> float:
    """Read a number above zero."""
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def parser() -> argparse.ArgumentParser:
    """Define the command line."""
    made = argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__)
    made.add_argument("--name", help="business name of the platform")
    made.add_argument("--role", type=role, action="append", required=True, dest="roles")
    made.add_argument("--hub", required=True, help="versions URL of the hub")
    token_a = os.environ.get(TOKEN_A)
    made.add_argument(
        "--token-a", default=token_a, required=not token_a, help=f"default: ${TOKEN_A}"
    )
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=0)
    made.add_argument("--locations", type=int, default=DEFAULTS.locations)
    made.add_argument("--evses", type=int, default=DEFAULTS.evses)
    made.add_argument("--tokens", type=int, default=DEFAULTS.tokens, help="an eMSP issues")
    made.add_argument("--updates-per-second", type=rate, default=DEFAULTS.updates_per_second)
    made.add_argument("--updates", type=int, help="events until it rests, still answering")
    made.add_argument("--smart", type=party, help="an SCSP that is shown the sessions of apps")
    made.add_argument("--journey", action="store_true", help="an eMSP's driver charges by app")
    made.add_argument("--seed", type=int, default=DEFAULTS.seed)
    made.add_argument("--patience", type=float, default=DEFAULTS.patience, help="s until hub is up")
    made.add_argument("--json", action="store_true", help="events as JSON lines")
    made.add_argument("--report-json", type=Path, dest="report", help="written at the end")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process until a signal ends it."""
    asked = parser().parse_args(arguments)
    platform = SandboxPlatform(asked.roles, host=asked.host, port=asked.port, client_info=True)
    platform.name = asked.name or platform.name
    plan = Plan(**{name: getattr(asked, name) for name in Plan.__dataclass_fields__})
    events = Events(platform.party, as_json=asked.json)
    try:
        return Demo(platform, plan, events).run()
    except OSError as error:
        events.emit("failed", reason=f"{asked.host}:{asked.port}: {error.strerror or error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
