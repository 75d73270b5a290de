"""Receivers that compare ids letter by letter get one spelling in URL and object, by a quirk."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.models import DeadLetter
from hub.store.spelling import spelled_path
from ocpi.types import ModuleID
from ocpi.versions import kept_type
from parties.models import Platform
from parties.quirks import Quirks
from sandbox.misbehaviour import refuse
from sandbox.platform import SandboxPlatform
from sandbox.server import Call
from tests.cast import CPA, HUB, MSA, Cast, a_location

Deliver = Callable[[], int]
LATER = "2030-01-01T00:00:00Z"


def by_the_letter(call: Call) -> None:
    """Refuse what says another id than the URL, or is about what was never put under this URL."""
    steps = call.seen.route.split("/")
    below = steps[steps.index("locations") + 1 :]
    if len(below) == 3 and call.seen.method == "PUT":
        said = [call.seen.json[name] for name in ("country_code", "party_id", "id")]
    else:
        said = ["NL", "CPA", "Loc1", "Evse1"][: len(below)]
    if below != said:
        refuse(2001, f"{below} in the URL, {said} in the object")(call)
    else:
        call.send(call.usual())


@pytest.fixture
def picky(emsp: SandboxPlatform) -> SandboxPlatform:
    """An eMSP for which `loc1` is not `Loc1`."""
    for method in ("PUT", "PATCH"):
        emsp.answer(method, by_the_letter)
    return emsp


def location() -> dict[str, Any]:
    """Return a Location whose ids have both kinds of letters."""
    body = a_location(evses=1)
    evse = {**body["evses"][0], "uid": "Evse1"}
    return {**body, "id": "Loc1", "evses": [evse]}


def put_lower(cast: Cast, path: str = "nl/cpa/loc1", body: Any = None, **how: Any) -> None:
    """Write below a URL in lower case."""
    method = how.pop("method", "PUT")
    routing = {"to": HUB, "sender": CPA, **how}
    sent = body or location()
    answer = cast["P1"].hub.send(method, "locations", "RECEIVER", path, sent, **routing)
    assert answer.status_code == 1000, str(answer)


def set_quirk() -> None:
    """Let the eMSP have one spelling."""
    Platform.objects.filter(name="P2").update(quirks=Quirks(one_spelling=True))


def test_an_object_goes_out_in_its_own_letters(
    cast: Cast, picky: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Without the quirk it goes out as it came in, and this receiver refuses it."""
    put_lower(cast)
    deliver_all()
    assert DeadLetter.objects.get().status_code == 2001
    set_quirk()
    picky.forget()
    put_lower(cast, body={**location(), "name": "new", "last_updated": LATER})
    deliver_all()
    assert picky.wait_for("PUT").route.endswith("/NL/CPA/Loc1")


@pytest.mark.parametrize(
    "change",
    [
        ("PATCH", "nl/cpa/loc1", {"name": "new", "last_updated": LATER}),
        ("PATCH", "nl/cpa/LOC1/evse1", {"status": "CHARGING", "last_updated": LATER}),
        ("PUT", "nl/cpa/loc1/EVSE1", None),
    ],
)
def test_a_change_goes_out_in_the_letters_of_its_object(
    cast: Cast, picky: SandboxPlatform, deliver_all: Deliver, change: tuple[str, str, Any]
) -> None:
    """What it is about has the letters that the object has."""
    method, path, body = change
    set_quirk()
    put_lower(cast)
    deliver_all()
    picky.forget()
    evse = {**location()["evses"][0], "status": "CHARGING", "last_updated": LATER}
    put_lower(cast, path, body or evse, method=method)
    deliver_all()
    expected = "/NL/CPA/Loc1/Evse1" if path.count("/") == 3 else "/NL/CPA/Loc1"
    assert picky.wait_for(method).route.endswith(expected)
    assert not DeadLetter.objects.exists()


def test_a_snapshot_too(cast: Cast, picky: SandboxPlatform, deliver_all: Deliver) -> None:
    """Where the object itself is in lower case, its URL is."""
    set_quirk()
    body = {**location(), "country_code": "nl", "party_id": "cpa"}
    put_lower(cast, body=body)
    deliver_all()
    assert picky.wait_for("PUT").route.endswith("/nl/cpa/Loc1")


def test_what_is_passed_on_too(cast: Cast, picky: SandboxPlatform) -> None:
    """A PUT to the party itself."""
    set_quirk()
    put_lower(cast, to=MSA)
    assert picky.wait_for("PUT").route.endswith("/NL/CPA/Loc1")


LOCATION = kept_type(ModuleID.LOCATIONS)


@pytest.mark.parametrize(
    "path,spelled",
    [
        ("nl/cpa/loc1", "NL/CPA/Loc1"),
        ("nl/cpa/loc1/evse1", "NL/CPA/Loc1/Evse1"),
        ("nl/cpa/loc1/evse1/c", "NL/CPA/Loc1/Evse1/C"),
        ("nl/cpa/loc2", "NL/CPA/loc2"),
        ("de/cpa/loc1?type=x", "de/CPA/Loc1?type=x"),
        ("nl/cpa/loc1/other/c", "NL/CPA/Loc1/other/c"),
        ("", ""),
    ],
)
def test_only_letters_change(path: str, spelled: str) -> None:
    """A step is never replaced by another id, and what the object does not name stays."""
    evse = {"uid": "Evse1", "connectors": [{"id": "C"}]}
    text = json.dumps({"country_code": "NL", "party_id": "CPA", "id": "Loc1", "evses": [evse]})
    assert spelled_path(path, LOCATION, text) == spelled
    assert spelled_path(path, LOCATION, "no JSON") == path
    assert spelled_path(path, LOCATION, '{"evses":[1],"id":1}') == path


def test_an_id_is_encoded_as_a_step() -> None:
    """Whatever letters it has."""
    text = json.dumps({"country_code": "NL", "party_id": "CPA", "id": "A/B c"})
    assert spelled_path("nl/cpa/a%2Fb%20C", LOCATION, text) == "NL/CPA/A%2FB%20c"
