"""`make hostile`: at least 100,000 hostile inputs of all entry points against a running hub.

The inputs follow from a seed, which is printed: the same seed repeats them. Ends with the ledger,
and with 1 if any answer was 5xx or 3000, anything took longer than a second, or a process died.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from random import SystemRandom

from local.data_dir import of_purpose
from local.errors import Trouble
from local.processes import end_on_signals
from tests.e2e.hub_processes import living
from tests.e2e.servers import purpose
from tests.hostile.attack import attack

_INPUTS = 102_000
_SEEDS = 1_000_000
_SHOWN_EVERY = 500
_PATIENCE = {"HUB_REQUEST_TIMEOUT": "0.5", "HUB_AUTHORIZE_TIMEOUT": "0.5"}
"""For how long the hub waits for a peer: nothing takes longer than a second because of one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; what goes wrong on this machine is said in one sentence."""
    asked = _parser().parse_args(arguments)
    end_on_signals()
    try:
        return _run(asked)
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    seed = SystemRandom().randrange(_SEEDS)
    parser.add_argument("--seed", type=int, default=seed, help="repeats a run (random)")
    parser.add_argument("--inputs", type=int, default=_INPUTS, help=f"so many ({_INPUTS})")
    return parser


def _run(asked: argparse.Namespace) -> int:
    logs = of_purpose(purpose()).logs
    _say(f"seed {asked.seed}; starting a hub, its logs are in {logs}")
    with living(logs, **_PATIENCE) as hub:
        began = time.monotonic()
        ledger = attack(hub, seed=asked.seed, inputs=asked.inputs, tell=_bar(asked.inputs))
    seconds = time.monotonic() - began
    print("", *ledger.lines(), "", sep="\n")
    wrong = ledger.wrong()
    for line in (*wrong, *ledger.examples):
        print(f"  - {line}")
    _say(f"seed {asked.seed}: {ledger.total} inputs in {seconds:.0f} s")
    print("NOT RIGHT" if wrong else "No 5xx, no stalls.", flush=True)
    return 1 if wrong else 0


def _bar(inputs: int) -> Callable[[int], None]:
    """Return what draws on a terminal how far it is."""

    def show(done: int) -> None:
        if sys.stdout.isatty() and not done % _SHOWN_EVERY:
            print(f"\r{done / inputs:4.0%}  {done} of {inputs}", end="", flush=True)

    return show


def _say(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
