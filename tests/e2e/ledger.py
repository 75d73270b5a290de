"""What NL-CPB sent and what became of it at each receiver: lost, doubled, out of order, or right.

Spec: the receivers hold exactly the owner's objects; a CDR comes once, or twice with the same id.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local.demo.compare_holdings import differences
from sandbox.platform import SandboxPlatform
from sandbox.recorder import Seen
from sandbox.server import Answer
from tests.cast import CPB
from tests.e2e.hub_processes import Hub

RECEIVERS = ("P2", "P3")
SHARED = ("tariffs", "locations")
PERSONAL = ("sessions", "cdrs")
_OWNED = f"{CPB}/"
_BELOW = f"/{CPB.country_code}/{CPB.party_id}/"
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message that took effect at a receiver; `counter` says which state it is of."""

    receiver: str
    module: str
    name: str
    counter: int | None
    message: tuple[str, str, bytes]


@dataclass
class Ledger:
    """The books of one hub, from now on."""

    hub: Hub
    sent: int = 0
    deliveries: list[Delivered] = field(default_factory=list)
    _written_off: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Listen at each receiver."""
        for name in RECEIVERS:
            self._listen(name, self.hub.platforms[name])

    def balances(self, seconds: float) -> list[str]:
        """Wait until nothing is missing, then return everything that is wrong, in words."""
        end = time.monotonic() + seconds
        while self.missing() and time.monotonic() < end:
            self.hub.supervise()
            time.sleep(0.5)
        return self.wrong()

    def wrong(self) -> list[str]:
        """Return everything that is wrong now, in words."""
        return [*self.missing(), *self.out_of_order(), *self.too_often()]

    def write_off(self) -> None:
        """Forget all there is: what went wrong in one test is not the next one's fault."""
        self.deliveries.clear()
        for platform in self.hub.platforms.values():
            for stores in (platform.own, platform.objects):
                for module in (*SHARED, *PERSONAL):
                    self._written_off |= _of_owner(stores[module].objects()).keys()

    def missing(self) -> list[str]:
        """Return how what the receivers hold differs from what they are to hold."""
        return [
            f"{receiver}: {difference}"
            for receiver in RECEIVERS
            for module in (*SHARED, *PERSONAL)
            for difference in differences(self._due(receiver, module), self._held(receiver, module))
        ]

    def out_of_order(self) -> list[str]:
        """Return the objects of which a receiver got something older than before."""
        counters: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for each in self._judged():
            if each.counter is not None:
                counters[each.receiver, each.module, each.name].append(each.counter)
        return [
            f"{receiver}: {module} {name} went back: {states}"
            for (receiver, module, name), states in counters.items()
            if states != sorted(states)
        ]

    def too_often(self) -> list[str]:
        """Return the CDRs that came more than twice."""
        bills = Counter(
            (each.receiver, each.name) for each in self._judged() if each.module == "cdrs"
        )
        return [f"{who}: CDR {name} came {n} times" for (who, name), n in bills.items() if n > 2]

    def _judged(self) -> Iterator[Delivered]:
        """Return what was delivered of all that is not written off."""
        return (
            each for each in list(self.deliveries) if _OWNED + each.name not in self._written_off
        )

    @property
    def doubled(self) -> int:
        """How many messages took effect although they had before."""
        times = Counter((each.receiver, each.message) for each in list(self.deliveries))
        return sum(number - 1 for number in times.values())

    def __str__(self) -> str:
        lost, swapped = len(self.missing()), len(self.out_of_order())
        return (
            f"sent {self.sent:,}, delivered {len(self.deliveries):,}, duplicated {self.doubled:,},"
            f" lost {lost}, out of order {swapped}"
        )

    def _due(self, receiver: str, module: str) -> dict[str, Any]:
        own = self._counting(self.hub.platforms["P1"].own[module].objects())
        party = self.hub.platforms[receiver].party
        return {
            name: value for name, value in own.items() if module in SHARED or _is_for(party, value)
        }

    def _held(self, receiver: str, module: str) -> dict[str, Any]:
        return self._counting(self.hub.platforms[receiver].objects[module].objects())

    def _counting(self, objects: dict[str, Any]) -> dict[str, Any]:
        own = _of_owner(objects)
        return {name: value for name, value in own.items() if name not in self._written_off}

    def _listen(self, name: str, platform: SandboxPlatform) -> None:
        def watch(seen: Seen, answer: Answer) -> None:
            if answer.http_status < _REFUSED:
                self.deliveries.extend(_deliveries(name, seen))

        platform.watchers.append(watch)


def _of_owner(objects: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in objects.items() if name.startswith(_OWNED)}


def _is_for(party: object, value: Any) -> bool:
    token = value["cdr_token"]
    return f"{token['country_code']}-{token['party_id']}" == str(party)


def _deliveries(receiver: str, seen: Seen) -> Iterator[Delivered]:
    """Read a push about an object of the owner."""
    value: Any = seen.json if seen.body else {}
    before, _, below = seen.route.partition(_BELOW)
    module = before.rpartition("/")[2]
    name = below.split("/")[0]
    if seen.method == "POST":
        name = value["id"]
    if name and seen.method in {"PUT", "PATCH", "POST", "DELETE"}:
        message = (seen.method, seen.path, seen.body)
        yield Delivered(receiver, module, name, _counter(value), message)


def _counter(value: Any) -> int | None:
    counted = value["evses"][0] if value.get("evses") else value
    counter: int | None = counted.get("x")
    return counter
