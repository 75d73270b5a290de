"""A hub after a day of traffic: the cast at work, and the figures of the hours before it began.

For the pages that are looked at as a whole: by axe, and for the pictures of the documentation.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from hub.models import Billed, Cdr, EvseChange, Failure, Traffic
from ocpi.types import PartyRef, format_datetime
from parties.models import AgreementState
from sandbox import misbehaviour
from sandbox.demo.locations import location
from tests.cast import CPA, CPB, Cast, command, push
from tests.factories import AgreementFactory, PartyFactory, PlatformFactory
from tests.hub.statistics import followed
from tests.ocpi.objects import a_cdr, a_charging_period, a_session, a_tariff, a_token

JOURNEY = "b7c1f0de-status-of-L7"
_AGREED = (
    *(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"), ("NL-CPA", "BE-MIX"), ("NL-CPA", "NL-NAV")),
    *(("NL-CPB", "DE-MSA"), ("BE-MIX", "DE-MSA"), ("BE-MIX", "FR-MSB")),
)
_OTHER_OWNERS = ("NL-EVG", "NL-SNL", "BE-STR", "DE-LAD", "FR-BRN", "AT-WKE")
_OTHER_READERS = ("NL-TRP", "NL-MOV", "BE-PLG", "DE-FHR", "FR-ROU", "AT-EMO", "DK-ELB", "SE-LDA")
_STATUSES = ("AVAILABLE",) * 9 + ("CHARGING",) * 6 + ("RESERVED", "OUTOFORDER", "INOPERATIVE")
_SHARES = {"locations": 9.0, "sessions": 6.0, "tokens": 3.0, "cdrs": 1.2, "tariffs": 0.4}
_TIDE = 0.55


@dataclass(frozen=True, slots=True)
class Day:
    """Does to a hub what a day of roaming does, the same each time."""

    cast: Cast
    deliver_all: Callable[[], int]
    logged: Callable[[], object]
    chance: Random

    def pass_by(self) -> None:
        """Let it be evening."""
        self._agree()
        self._publish()
        self._charge()
        self.deliver_all()
        self._refuse()
        followed.catch_up()
        self.logged()
        self._remember()

    def _agree(self) -> None:
        for name in ("P1", "P2", "P3", "P4", "P5"):
            assert self.cast[name]
        self.cast.agree(*_AGREED)
        command("agree", "NL-CPB", "FR-MSB", "--suspend")
        invited = PlatformFactory.create(name="Invited last week", planned=True)
        owners = [_party("CPO", key) for key in _OTHER_OWNERS]
        readers = [_party("EMSP", key) for key in _OTHER_READERS]
        _party("CPO", "LU-NEU", platform=invited, is_active=False, claimed_at=None)
        states = [*AgreementState] + [AgreementState.ACTIVE] * 9
        for owner in owners:
            for reader in self.chance.sample(readers, 5):
                some = ["locations", "tariffs"] if self.chance.random() < 0.2 else []
                state = self.chance.choice(states)
                AgreementFactory.create(cpo=owner, emsp=reader, state=state, modules=some)

    def _publish(self) -> None:
        cpo, emsp = self.cast["P1"], self.cast["P2"]
        cpo.publish("tariffs", a_tariff())
        emsp.publish("tokens", a_token())
        emsp.publish("tokens", a_token(uid="TOKEN-2", valid=False))
        for owner, number in ((CPA, 45), (CPB, 20)):
            for index in range(1, number + 1):
                body = location(index, owner, self.chance.randint(1, 4))
                for evse in body["evses"]:
                    evse["status"] = self.chance.choice(_STATUSES)
                assert cpo.publish("locations", body).succeeded

    def _charge(self) -> None:
        """Sell twenty-four times; the last is not billed yet."""
        cpo, now = self.cast["P1"], timezone.now()
        for number in range(1, 25):
            begin = now - timedelta(minutes=100 + 20 * number)
            periods = self._periods(begin)
            energy = round(sum(each["dimensions"][0]["volume"] for each in periods), 3)
            shared: dict[str, Any] = {
                "start_date_time": format_datetime(begin),
                "charging_periods": periods,
                "last_updated": format_datetime(now),
            }
            assert cpo.publish(
                "sessions", a_session(**shared, id=f"S{number}", kwh=energy)
            ).succeeded
            if number > 1:
                end = format_datetime(begin + timedelta(minutes=80))
                bill = {"end_date_time": end, "session_id": f"S{number}", "total_energy": energy}
                assert cpo.publish("cdrs", a_cdr(**shared, **bill, id=f"C{number}")).succeeded

    def _periods(self, begin: datetime) -> list[Any]:
        return [
            a_charging_period(
                start_date_time=format_datetime(begin + timedelta(minutes=10 * place)),
                dimensions=[{"type": "ENERGY", "volume": round(kwh, 3)}],
            )
            for place, kwh in enumerate(self._power())
        ]

    def _power(self) -> list[float]:
        """Charge fast, then slower and slower."""
        most = self.chance.uniform(2.0, 3.7)
        return [most * min(1.0, 1.5 * math.exp(-place / 4)) for place in range(8)]

    def _refuse(self) -> None:
        """Send a change to four receivers: two are slow, and one refuses."""
        body = location(7, CPA, 2)
        body |= {"last_updated": format_datetime(timezone.now())}
        ids: dict[str, Any] = {"X-Correlation-ID": JOURNEY}
        with (
            self.cast["P2"].answer("/locations/", misbehaviour.hang(0.12)),
            self.cast["P3"].answer("/locations/", misbehaviour.hang(0.06)),
            self.cast["P5"].answer("/locations/", misbehaviour.refuse(2001, "evses: too many")),
        ):
            push(self.cast["P1"], body, **ids)
            self.deliver_all()
        push(self.cast["P1"], location(46, CPA, 1))

    def _remember(self) -> None:
        """Put the hours before into the kept figures."""
        now = timezone.now().replace(second=0, microsecond=0)
        minutes = (now - timedelta(minutes=age) for age in range(1, 24 * 60))
        traffic = [each for minute in minutes for each in self._traffic(minute)]
        Traffic.objects.bulk_create(traffic, ignore_conflicts=True)
        for party, code, number in (("FR-MSB", 2001, 41), ("DE-MSA", 4002, 17), ("BE-MIX", 0, 6)):
            for age in (2, 5):
                hour = now.replace(minute=0) - timedelta(hours=age)
                about = {"party": party, "module": "locations", "code": code}
                Failure.objects.create(hour=hour, number=number, **about)
        Billed.objects.all().delete()
        for place, cdr in enumerate(Cdr.objects.order_by("pk")):
            at = now - timedelta(hours=place * place % (now.hour or 1))
            Cdr.objects.filter(pk=cdr.pk).update(posted_at=at)
            hour = at.replace(minute=0, second=0, microsecond=0)
            Billed.objects.create(hour=hour, slot=place, number=1, kwh=cdr.kwh or 0)
        self._remember_statuses()

    def _traffic(self, minute: datetime) -> Iterator[Traffic]:
        """Yield the figures of a minute: least of all at midnight."""
        tide = 1 - _TIDE * math.cos((minute.hour * 60 + minute.minute) / 1440 * 2 * math.pi)
        for module, share in _SHARES.items():
            number = round(12 * share * tide * self.chance.uniform(0.8, 1.2))
            failed = self.chance.random() < share / 40
            about = {"module": module, "direction": "in", "milliseconds": 20}
            yield Traffic(minute=minute, number=number, failed=failed, **about)

    def _remember_statuses(self) -> None:
        for change in EvseChange.objects.select_related("evse")[:20]:
            at, before = change.at, "AVAILABLE"
            for _ in range(40):
                at -= timedelta(hours=self.chance.uniform(2, 30))
                after, before = before, self.chance.choice(_STATUSES)
                EvseChange.objects.create(
                    evse=change.evse,
                    minute=at.replace(second=0, microsecond=0),
                    at=at,
                    before=before,
                    status=after,
                )


def _party(role: str, key: str, **fields: object) -> object:
    ref = PartyRef.parse(key)
    return PartyFactory.create(
        role=role,
        country_code=ref.country_code,
        party_id=ref.party_id,
        name=f"{ref.party_id.title()} {'Charging' if role == 'CPO' else 'Mobility'}",
        **fields,
    )
