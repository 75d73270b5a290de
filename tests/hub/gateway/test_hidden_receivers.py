"""Who may not exchange data with a party learns nothing of it, not even whether it is there.

Spec: 2.2.1 status codes, Hub errors; transport and format, message routing.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from ocpi.types import PartyRef
from parties.models import Agreement, Party, Platform
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, HUB, MSA, Cast, a_location, push, route
from tests.hub.charging_objects import put_session
from tests.hub.gateway.commands import PROFILE
from tests.ocpi.objects import a_cdr, a_cdr_token, a_session

pytestmark = pytest.mark.security("S-15")

NOBODY = PartyRef("XX", "ZZZ")
_LONG = timezone.now() + timedelta(days=1)

STATES: dict[str, Callable[[], object]] = {
    "no agreement": lambda: Agreement.objects.all().delete(),
    "a suspended one": lambda: Agreement.objects.update(state="SUSPENDED"),
    "a draft": lambda: Agreement.objects.update(state="DRAFT"),
    "one that ended": lambda: Agreement.objects.update(valid_until=timezone.now()),
    "one that did not begin": lambda: Agreement.objects.update(valid_from=_LONG),
    "one about other modules": lambda: Agreement.objects.update(modules=["hubclientinfo"]),
}
STATUSES: dict[str, Callable[[], object]] = {
    "connected": lambda: None,
    "offline": lambda: _platform(status="OFFLINE"),
    "planned": lambda: _platform(status="PLANNED"),
    "suspended": lambda: _platform(status="SUSPENDED"),
    "throttled": lambda: _platform(next_attempt_at=_LONG),
    "silent": lambda: _platform(circuit_until=_LONG, unanswered=9),
    "not named": lambda: Party.objects.filter(key="DE-MSA").update(is_active=False),
    "without endpoints": lambda: Platform.objects.get(name="P2").endpoints.all().delete(),
}


def _platform(**values: object) -> None:
    Platform.objects.filter(name="P2").update(**values)


def said_of(result: Result, ref: PartyRef) -> tuple[int, int | None, str, object]:
    """Return all that an answer says, whoever it is about."""
    said = str(result.message).replace(str(ref), "PARTY")
    return result.http_status, result.status_code, said, (result.data, route(result))


def messages(cpo: SandboxPlatform, ref: PartyRef) -> list[Result]:
    """Send one of each kind to a party, and two to the hub that are for it."""
    token = a_cdr_token(country_code=ref.country_code, party_id=ref.party_id)
    hub, named = cpo.hub, {"to": ref, "sender": CPA}
    return [
        push(cpo, a_location(), to=ref),
        hub.put("locations", "RECEIVER", "NL/CPA/L1", b"", **named),
        hub.get("locations", "RECEIVER", "NL/CPA/L1", **named),
        hub.get("locations", "SENDER", **named),
        hub.get("tokens", "SENDER", **named),
        hub.post("tokens", "SENDER", "U1/authorize", {}, **named),
        hub.put("chargingprofiles", "SENDER", "S1", PROFILE, **named),
        hub.post("cdrs", "RECEIVER", body=a_cdr(), **named),
        put_session(cpo, to=ref),
        put_session(cpo, to=HUB, cdr_token=token),
        put_session(cpo, to=None, cdr_token=token),
        hub.put(
            "sessions", "RECEIVER", "NL/CPA/S1", a_session(cdr_token=token), to=HUB, sender=CPA
        ),
    ]


@pytest.mark.conformance("ST-11")
def test_whoever_may_not_be_reached_is_not_there(cast: Cast) -> None:
    """One code and one sentence for every message, whatever is in the way and however it stands."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    emsp.forget()
    unknown = [said_of(each, NOBODY) for each in messages(cpo, NOBODY)]
    assert {each[:2] for each in unknown} == {(200, 4001)}
    agreements = list(Agreement.objects.values())
    platforms, named = list(Platform.objects.values()), list(Party.objects.values())
    for name, hide in STATES.items():
        hide()
        assert [said_of(each, MSA) for each in messages(cpo, MSA)] == unknown, name
        for values in agreements:
            Agreement.objects.update_or_create(pk=values["id"], defaults=values)
    Agreement.objects.all().delete()
    for name, change in STATUSES.items():
        change()
        assert [said_of(each, MSA) for each in messages(cpo, MSA)] == unknown, name
        for platform in platforms:
            Platform.objects.filter(pk=platform["id"]).update(**platform)
        for party in named:
            Party.objects.filter(pk=party["id"]).update(is_active=party["is_active"])
    assert emsp.seen == []


@pytest.mark.conformance("ST-13", "ST-14")
def test_whoever_may_be_reached_is_told_why_not_now(cast: Cast) -> None:
    """With an agreement the sender learns how the party stands, and what its roles are for."""
    cpo, _ = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    for status in ("OFFLINE", "PLANNED", "SUSPENDED"):
        _platform(status=status)
        refused = push(cpo, a_location(), to=MSA)
        assert (refused.http_status, refused.status_code) == (200, 4003)
        assert status in str(refused.message)
    _platform(status="CONNECTED")
    wrong = cpo.hub.get("locations", "SENDER", to=MSA, sender=CPA)
    assert (wrong.status_code, "EMSP" in str(wrong.message)) == (4000, True)
