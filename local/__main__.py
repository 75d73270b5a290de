"""`python -m local`: servers on this machine, around a command or around the hub itself."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from local import beside, environment, hub
from local.data_dir import of_purpose
from local.demo import run
from local.errors import Trouble
from local.processes import Family, end_on_signals, run_in_front


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; trouble with this machine is reported in one sentence."""
    asked = _parser().parse_args(arguments)
    end_on_signals()
    try:
        code: int = asked.perform(asked)
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    ways = parser.add_subparsers(required=True, metavar="run|serve|demo|manage|deploy-check")
    _add_run(ways.add_parser("run", help="a command with DATABASE_URL and REDIS_URL set"))
    serve = ways.add_parser("serve", help="the hub: web, worker and beat")
    serve.add_argument("--purpose", default="run", help="whose data under .local/ (run)")
    serve.set_defaults(perform=lambda asked: hub.serve(of_purpose(asked.purpose)))
    _add_demo(ways.add_parser("demo", help="the hub between a sandbox CPO, two eMSPs and an SCSP"))
    _add_manage(ways.add_parser("manage", help="a command of manage.py beside a hub that runs"))
    check = ways.add_parser("deploy-check", help="Django's check --deploy with settings.base")
    check.set_defaults(perform=_deploy_check)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--purpose", default="test", help="whose data under .local/ (test)")
    parser.add_argument(
        "--workers", type=int, default=1, help="of pytest-xdist, each with its own server (1)"
    )
    parser.add_argument("command", nargs="+", metavar="CMD", help="after --")
    parser.set_defaults(perform=_run)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--purpose", default="demo", help="whose data under .local/ (demo)")
    parser.add_argument("--check", action="store_true", help="end with a verdict")
    parser.add_argument("--seconds", type=float, help="end after so long (60 with --check)")
    parser.add_argument(
        "--updates", type=int, default=200, help="events of the CPO with --check (200)"
    )
    parser.set_defaults(perform=_demo)


def _add_manage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--purpose", default="", help="whose hub, if several run (run or demo)")
    parser.add_argument("words", nargs="*", metavar="WORD", help="after --: command and arguments")
    parser.set_defaults(perform=lambda asked: beside.manage(asked.words, purpose=asked.purpose))


def _run(asked: argparse.Namespace) -> int:
    where = of_purpose(asked.purpose)
    with ExitStack() as held:
        held.enter_context(where.locked())
        family = held.enter_context(Family())
        made = environment.with_servers(family, where)
        others = [of_purpose(f"{asked.purpose}-{number}") for number in range(1, asked.workers)]
        for other in others:
            held.enter_context(other.locked())
        made |= environment.for_workers(family, others) | {"LOCAL_PURPOSE": asked.purpose}
        return run_in_front(asked.command, made)


def _demo(asked: argparse.Namespace) -> int:
    where = of_purpose(asked.purpose)
    if asked.check:
        return run.check(where, updates=asked.updates, seconds=asked.seconds or 60.0)
    return run.show(where, seconds=asked.seconds)


def _deploy_check(_asked: argparse.Namespace) -> int:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return run_in_front(command, environment.deployed(of_purpose("lint")))


if __name__ == "__main__":
    sys.exit(main())
