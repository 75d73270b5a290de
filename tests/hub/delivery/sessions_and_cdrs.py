"""Sessions and CDRs of NL-CPA for DE-MSA, whose every message counts."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from hub.models import Change, DeadLetter, Subscription
from parties.models import Platform
from sandbox.recorder import Seen
from sandbox.server import Call, Responder
from tests.cast import Cast
from tests.hub.exchange import CDRS, SESSIONS, Trade
from tests.ocpi.objects import Json


def sessions(cast: Cast, *, readers: int = 1) -> Trade:
    """Let NL-CPA push its Sessions for so many eMSPs."""
    return Trade(SESSIONS, cast).agree(*range(readers))


def cdrs(cast: Cast) -> Trade:
    """Let NL-CPA push its CDRs for DE-MSA."""
    return Trade(CDRS, cast).agree(0)


def put(trade: Trade, number: int = 1, *, reader: int = 0, **changes: object) -> Json:
    """PUT a Session with one period, whoever has it already; return it."""
    value = trade.kind.make(number, reader=reader, charging_periods=[period(0)], **changes)
    assert trade.push(value).status_code == 1000
    return value


def patch(trade: Trade, place: int, *, number: int = 1) -> None:
    """PATCH a Session with its period number `place`."""
    body = {"charging_periods": [period(place)], "last_updated": stamp(place)}
    result = trade.send("PATCH", f"X{number}", body)
    assert result.status_code == 1000, str(result)


def period(place: int) -> Json:
    """Make a period that is known by its volume."""
    return {
        "start_date_time": stamp(place),
        "dimensions": [{"type": "ENERGY", "volume": float(place)}],
    }


def stamp(place: int) -> str:
    """Return a moment a minute behind the one before."""
    return f"2027-01-01T{place // 60:02}:{place % 60:02}:00Z"


def places(value: Any) -> list[int]:
    """Name the periods of a Session, or of a PATCH, by their numbers."""
    return [int(each["dimensions"][0]["volume"]) for each in value["charging_periods"]]


def received(trade: Trade, reader: int = 0) -> list[tuple[str, str]]:
    """Return method and id of what a reader was sent, in order of arrival."""
    return [(seen.method, name(seen)) for seen in trade.pushes(reader)]


def name(seen: Seen) -> str:
    """Return the id of the object a push is about."""
    body: Any = seen.json
    return str(body["id"]) if seen.method == "POST" else seen.route.rpartition("/")[2]


def held(trade: Trade, identifier: str = "X1", reader: int = 0) -> Any:
    """Return what a reader holds of an object of NL-CPA."""
    return trade.reader(reader).objects[trade.kind.module].objects()[f"NL-CPA/{identifier}"]


def subscription(trade: Trade, platform: str = "P2") -> Subscription:
    """Return the reader's subscription."""
    return Subscription.objects.get(receiver__platform__name=platform, module=trade.kind.module)


def dead_letters(trade: Trade) -> list[DeadLetter]:
    """Return the dead letters of the module, oldest first."""
    return list(DeadLetter.objects.filter(subscription__module=trade.kind.module).order_by("id"))


def one_after_the_other(*responders: Responder) -> Responder:
    """Answer each request in another way."""
    following = iter(responders)

    def respond(call: Call) -> None:
        next(following)(call)

    return respond


def retry_now() -> None:
    """Let the time of every back-off and of every rest be over."""
    Platform.objects.update(next_attempt_at=None)
    Subscription.objects.filter(lease=None).update(lease_until=None)


def grow_old(trade: Trade, days: int) -> None:
    """Let every change of the module be so many days old."""
    then = timezone.now() - timedelta(days=days, minutes=1)
    Change.objects.filter(module=trade.kind.module).update(created_at=then)
