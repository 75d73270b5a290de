"""NL-CPB at work: changes of every kind, each sent again until the hub has accepted it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from types import TracebackType
from typing import Any, Self

from bench.environment import headers
from bench.load import request
from sandbox.client import Result
from sandbox.object_store import write_object
from sandbox.platform import object_path
from tests.cast import CPB, HUB, MSA, MSB, a_location
from tests.e2e.insistence import insist_in_order
from tests.e2e.ledger import Ledger
from tests.ocpi.objects import a_cdr, a_cdr_token, a_session, a_tariff

CLERKS = 3
"""So many send at once, each about objects of its own: an object's changes stay in order."""
_LOCATIONS = 8
_OFTEN_CHANGED = 50
_SEQUENCES = 10
"""So many connections, each with objects of its own: two changes of one never meet."""
_PATIENCE = 30.0
_LONGEST_REST = 100.0
_NOT_FOUND = 404
_EVSE = "E1"


@dataclass
class Traffic:
    """What is sent between entering and leaving; `prefix` begins every name."""

    ledger: Ledger
    prefix: str
    failures: list[BaseException] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _awake: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        """Begin."""
        self._awake.set()
        for number in range(CLERKS):
            thread = threading.Thread(target=self._work, args=[f"{self.prefix}-{number}-"])
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop sending; raise what failed."""
        self._over.set()
        for thread in self._threads:
            thread.join(2 * _PATIENCE)
        if self.failures and error is None:
            raise self.failures[0]

    def burst(self, changes: int) -> None:
        """Change a few Locations very often, as fast as the hub takes it; all else rests."""
        names = [f"{self.prefix}-B{number}" for number in range(_OFTEN_CHANGED)]
        for name in names:
            self._insist(self._publish("locations", self._location(name, 0)))
        self._awake.clear()
        counters = range(1, changes // len(names) + 1)
        sequences = [
            [
                self._shot(name, counter)
                for counter in counters
                for name in names[number::_SEQUENCES]
            ]
            for number in range(_SEQUENCES)
        ]
        try:
            insist_in_order(self.ledger.hub.url, sequences)
        finally:
            self._awake.set()
        with self._lock:
            self.ledger.sent += sum(map(len, sequences))

    def _shot(self, name: str, counter: int) -> bytes:
        """Write a PATCH of an EVSE, which is as its owner has it from now on."""
        platform, text = self.ledger.hub.platforms["P1"], write_object(self._state(counter))
        platform.own["locations"].patch(CPB, name, _EVSE, body=text)
        endpoint = platform.hub.endpoint("locations", "RECEIVER").rstrip("/")
        head = headers(platform.hub.token, sender=CPB, to=HUB)
        return request("PATCH", f"{endpoint}/{object_path(CPB, name, _EVSE)}", head, text.encode())

    def _work(self, prefix: str) -> None:
        try:
            for counter in count(1):
                for step in self._round(prefix, counter):
                    self._awake.wait(_LONGEST_REST)
                    self._insist(step)
                    if self._over.wait(0.005):
                        return
        except BaseException as error:  # noqa: BLE001 - raised where the test waits
            self.failures.append(error)

    def _round(self, prefix: str, counter: int) -> Iterator[Callable[[], Result]]:
        """Change each object once: whole or in part, and a tariff that comes and goes."""
        publish, change = self._publish, self._change
        for number in range(_LOCATIONS):
            name = f"{prefix}L{number}"
            if (counter + number) % 2 or counter == 1:
                yield publish("locations", self._location(name, counter))
            else:
                yield change("locations", name, _EVSE, patch=self._state(counter))
        for number, receiver in enumerate((MSA, MSB)):
            name = f"{prefix}S{number}"
            token = a_cdr_token(country_code=receiver.country_code, party_id=receiver.party_id)
            if counter % 3 == 1:
                yield publish("sessions", self._owned(a_session(id=name, cdr_token=token), counter))
            else:
                yield change("sessions", name, patch={"kwh": counter, **self._state(counter)})
            bill = self._owned(a_cdr(id=f"{prefix}C{counter}-{number}", cdr_token=token))
            yield publish("cdrs", bill)
        yield publish("tariffs", self._owned(a_tariff(id=f"{prefix}T"), counter))
        if counter % 2:
            yield self._withdraw(f"{prefix}T")

    def _insist(self, step: Callable[[], Result]) -> None:
        """Send until it is accepted, whatever becomes of an attempt."""
        end = time.monotonic() + _PATIENCE
        last: object = None
        while time.monotonic() < end:
            try:
                result = step()
            except OSError as error:
                last = error
            else:
                last = result
                if result.status_code == 1000:
                    with self._lock:
                        self.ledger.sent += 1
                    return
            time.sleep(0.05)
        message = f"the hub does not accept: {last}"
        raise TimeoutError(message)

    def _publish(self, module: str, value: dict[str, Any]) -> Callable[[], Result]:
        return lambda: self.ledger.hub.platforms["P1"].publish(module, value)

    def _change(self, module: str, *ids: str, patch: dict[str, Any]) -> Callable[[], Result]:
        return lambda: self.ledger.hub.platforms["P1"].change(module, CPB, *ids, patch=patch)

    def _withdraw(self, name: str) -> Callable[[], Result]:
        """Take a tariff back; that it is gone already is success too."""
        platform = self.ledger.hub.platforms["P1"]
        platform_path = object_path(CPB, name)

        def step() -> Result:
            platform.own["tariffs"].pop((CPB.country_code, CPB.party_id, name), None)
            send = platform.hub.delete
            result = send("tariffs", "RECEIVER", platform_path, to=HUB, sender=CPB)
            if result.http_status == _NOT_FOUND:
                return Result(200, result.headers, b'{"status_code":1000}', result.elapsed)
            return result

        return step

    def _location(self, name: str, counter: int) -> dict[str, Any]:
        value = a_location(CPB, 1, evses=1, id=name)
        first = {**value["evses"][0], "uid": _EVSE, **self._state(counter)}
        return {**value, "evses": [first], "last_updated": first["last_updated"]}

    def _owned(self, value: dict[str, Any], counter: int | None = None) -> dict[str, Any]:
        state = {} if counter is None else self._state(counter)
        return {**value, "country_code": CPB.country_code, "party_id": CPB.party_id, **state}

    def _state(self, counter: int) -> dict[str, Any]:
        now = datetime.now(UTC) + self.ledger.hub.clock_error
        return {
            "x": counter,
            "last_updated": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z",
        }
