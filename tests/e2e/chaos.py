"""`make chaos`: every fault of `faults`, in a random order, against one living hub under load.

The order and how long each lasts follow from a seed, which is printed: the same seed repeats them.
One of each kind of process that the hub's programs have started is killed too, whatever kinds there
are. Ends with the ledgers, and with 1 if anything was lost, went back or came too often.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random, SystemRandom

from local.data_dir import of_purpose
from local.errors import Trouble
from local.processes import end_on_signals
from tests.e2e.faults import DOWN_FOR_LONG, FAULTS, Fault, of_each_kind, ride_out
from tests.e2e.hub_processes import living
from tests.e2e.ledger import Ledger
from tests.e2e.load_process import RATE, Load
from tests.e2e.servers import purpose

_SEEDS = 1_000_000
_PATIENCE = 60.0
_MOST_SHOWN = 20
LEAST_RATE = 500.0
"""Messages a second that the hub is to carry while faults come and go."""


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
    parser.add_argument("--rounds", type=int, help="so many faults (each once)")
    parser.add_argument(
        "--rate", type=float, default=RATE, help=f"messages a second of load ({RATE:.0f})"
    )
    parser.add_argument("--seconds", type=float, help="begin no fault after so long (no limit)")
    return parser


def _run(asked: argparse.Namespace) -> int:
    logs = of_purpose(purpose()).logs
    _say(f"seed {asked.seed}; starting a hub, its logs are in {logs}")
    with living(logs) as hub, Load(hub, rate=asked.rate) as load:
        books = Books(Ledger(hub), load)
        deck = [*FAULTS, DOWN_FOR_LONG, *of_each_kind(hub)]
        rounds = asked.rounds or len(deck)
        began = time.monotonic()
        wrong: list[str] = []
        for number, fault in enumerate(_drawn(asked.seed, deck, rounds), start=1):
            if asked.seconds and time.monotonic() > began + asked.seconds:
                break
            wrong = _round(f"{number}/{rounds}", fault, books, prefix=f"R{number}")
            if wrong:
                break
        return _verdict(asked, books, wrong)


@dataclass(frozen=True, slots=True)
class Books:
    """What the run is judged by: the ledger of the traffic, and that of the load beside it."""

    traffic: Ledger
    load: Load

    def balance(self, seconds: float) -> list[str]:
        """Wait until nothing is missing, then return everything that is wrong, in words."""
        wrong = self.traffic.balances(seconds)
        return wrong + self.load.settled(seconds).wrong


def _drawn(seed: int, deck: Sequence[Fault], rounds: int) -> Iterator[Fault]:
    """Draw every fault once before any comes again."""
    chance = Random(seed)
    hat: list[Fault] = []
    for _ in range(rounds):
        hat = hat or chance.sample(deck, len(deck))
        fault = hat.pop()
        yield replace(fault, seconds=fault.seconds * chance.uniform(0.2, 1.8))


def _round(which: str, fault: Fault, books: Books, *, prefix: str) -> list[str]:
    """Ride one fault out; return what is wrong afterwards."""
    _say(f"{which}: {fault}")
    if not fault.changes:  # a burst is as fast as the hub takes it, and all else rests
        books.load.go()
    try:
        ride_out(fault, books.traffic, prefix=prefix)
        books.load.halt()
    except (AssertionError, OSError, RuntimeError) as error:
        return [str(error), *books.balance(0)]
    mended = time.monotonic()
    wrong = books.balance(_PATIENCE)
    if not wrong:
        seconds = time.monotonic() - mended
        _say(f"    whole again after {seconds:.1f} s: {books.traffic}")
    return wrong


def _verdict(asked: argparse.Namespace, books: Books, wrong: Sequence[str]) -> int:
    _say(f"seed {asked.seed}: {books.traffic}")
    report = books.load.report()
    _say(str(report))
    if report.usual_rate < LEAST_RATE <= asked.rate:
        _say(f"the machine did not carry {LEAST_RATE:.0f} messages/s of load beside the traffic")
    for line in wrong[:_MOST_SHOWN]:
        print(f"  - {line}")
    print("NOT RIGHT" if wrong else "Nothing lost, nothing out of order.", flush=True)
    return 1 if wrong else 0


def _say(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
