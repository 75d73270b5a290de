"""`make chaos`: every fault of `faults`, in a random order, against one living hub.

The order and how long each lasts follow from a seed, which is printed: the same seed repeats them.
Ends with the ledger, and with 1 if anything was lost, went back or came too often.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random, SystemRandom

from local.data_dir import of_purpose
from local.errors import Trouble
from local.processes import end_on_signals
from tests.e2e.faults import DOWN_FOR_LONG, FAULTS, Fault, ride_out
from tests.e2e.hub_processes import living
from tests.e2e.ledger import Ledger
from tests.e2e.servers import purpose

_SEEDS = 1_000_000
_PATIENCE = 60.0
_MOST_SHOWN = 20


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
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    seed = SystemRandom().randrange(_SEEDS)
    parser.add_argument("--seed", type=int, default=seed, help="repeats a run (random)")
    parser.add_argument(
        "--rounds", type=int, default=len(FAULTS) + 1, help="so many faults (each once)"
    )
    parser.add_argument("--seconds", type=float, help="begin no fault after so long (no limit)")
    return parser


def _run(asked: argparse.Namespace) -> int:
    logs = of_purpose(purpose()).logs
    _say(f"seed {asked.seed}; starting a hub, its logs are in {logs}")
    with living(logs) as hub:
        began, ledger = time.monotonic(), Ledger(hub)
        wrong: list[str] = []
        for number, fault in enumerate(_drawn(asked.seed, asked.rounds), start=1):
            if asked.seconds and time.monotonic() > began + asked.seconds:
                break
            wrong = _round(f"{number}/{asked.rounds}", fault, ledger, prefix=f"R{number}")
            if wrong:
                break
        return _verdict(asked.seed, ledger, wrong)


def _drawn(seed: int, rounds: int) -> Iterator[Fault]:
    """Draw every fault once before any comes again."""
    chance = Random(seed)
    hat: list[Fault] = []
    for _ in range(rounds):
        hat = hat or chance.sample([*FAULTS, DOWN_FOR_LONG], len(FAULTS) + 1)
        fault = hat.pop()
        yield replace(fault, seconds=fault.seconds * chance.uniform(0.2, 1.8))


def _round(which: str, fault: Fault, ledger: Ledger, *, prefix: str) -> list[str]:
    """Ride one fault out; return what is wrong afterwards."""
    _say(f"{which}: {fault}")
    try:
        ride_out(fault, ledger, prefix=prefix)
    except (AssertionError, TimeoutError, RuntimeError) as error:
        return [str(error), *ledger.balances(0)]
    mended = time.monotonic()
    wrong = ledger.balances(_PATIENCE)
    if not wrong:
        _say(f"    whole again after {time.monotonic() - mended:.1f} s: {ledger}")
    return wrong


def _verdict(seed: int, ledger: Ledger, wrong: Sequence[str]) -> int:
    _say(f"seed {seed}: {ledger}")
    for line in wrong[:_MOST_SHOWN]:
        print(f"  - {line}")
    print("NOT RIGHT" if wrong else "Nothing lost, nothing out of order.", flush=True)
    return 1 if wrong else 0


def _say(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
