"""Quirks for platforms that are wrong: each helps a peer that behaves exactly so, and nobody else.

No quirk lets a platform speak for a party of another one.
"""

from typing import Any

import pytest

from hub.models import Cdr, Location
from ocpi.errors import NoMatchingEndpoints
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from parties.models import Platform
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, CPB, HUB, MSA, Cast, a_location, push, route
from tests.ocpi.objects import a_cdr, a_cdr_token
from tests.parties.wire import Wire


def told(platform: SandboxPlatform, cast: Cast) -> list[tuple[str, str]]:
    """Return the interfaces that a platform reads in the hub's version details."""
    details = Wire(cast.versions_url).get("2.2.1", token=platform.hub.token).json()["data"]
    return [(each["identifier"], each["role"]) for each in details["endpoints"]]


@pytest.mark.parametrize("name", ["P1", "P2"])
def test_a_role_blind_client_is_told_one_endpoint_a_module(cast: Cast, name: str) -> None:
    """By role it is told what its roles call: it reads, writes and authorizes as if it could read.

    Without the quirk its calls go to the interface that is listed last.
    """
    platform = cast.join(name, "details=by-role", role_blind=True)
    modules = [module for module, _ in told(platform, cast)]
    assert len(modules) == len(set(modules))
    if name == "P1":
        assert push(platform, a_location()).status_code == 1000
        assert platform.hub.get("tokens", "SENDER", sender=CPA).status_code == 1000
    else:
        assert platform.hub.get("locations", "SENDER").status_code == 1000


def test_a_role_blind_client_is_lost_without_the_quirk(cast: Cast) -> None:
    """It asks for tokens where tokens are written."""
    platform = cast.join("P1", role_blind=True)
    assert platform.hub.get("tokens", "SENDER", sender=CPA).http_status in {404, 405}


def test_a_platform_of_both_roles_is_told_of_both_sides(cast: Cast) -> None:
    """By role nothing is left out that it may call."""
    platform = cast.join("P4", "details=by-role")
    assert {("locations", "SENDER"), ("locations", "RECEIVER")} <= {*told(platform, cast)}


def test_credentials_of_role_receiver(cast: Cast) -> None:
    """A platform that looks for that role alone registers with the quirk, and not without it."""
    lost = cast.start("P1", credentials_side="RECEIVER")
    with pytest.raises(NoMatchingEndpoints):
        lost.register_with(cast.versions_url, cast.token_a("P1"))
    platform = cast.join("P2", "credentials_role=receiver", credentials_side="RECEIVER")
    assert ("credentials", "RECEIVER") in told(platform, cast)
    assert platform.rotate().status_code == 1000


def test_to_itself_is_to_the_hub(cast: Cast) -> None:
    """The list and its pages are the hub's; without the quirk nobody is meant by it."""
    cpo, emsp = cast["P1"], cast.join("P2", "to_self=on")
    cast.agree(("NL-CPA", "DE-MSA"))
    for number in (1, 2):
        assert push(cpo, a_location(number=number)).status_code == 1000
    first = emsp.hub.get("locations", "SENDER", query={"limit": 1}, to=MSA, sender=MSA)
    assert (first.status_code, route(first)) == (1000, (MSA, HUB))
    following = first.headers["Link"].partition("<")[2].partition(">")[0]
    itself = RoutingHeaders(to=MSA, sender=MSA).as_headers()
    assert len(emsp.hub.call("GET", following, **itself).data) == 1
    assert len(emsp.hub.get("locations", "SENDER", to=MSA).data) == 2
    Platform.objects.filter(name="P2").update(quirks={})
    assert emsp.hub.get("locations", "SENDER", to=MSA, sender=MSA).status_code == 2001


def test_to_itself_may_be_pushed_too(cast: Cast) -> None:
    """What a CPO addresses to itself is for all who may have it."""
    cpo = cast.join("P1", "to_self=on")
    assert push(cpo, a_location(), to=CPA).status_code == 1000
    assert Location.objects.get().owner.startswith("NL-CPA")
    assert push(cpo, a_location(), to=CPB).status_code != 1000


def without_sender(platform: SandboxPlatform, owner: PartyRef, **changes: Any) -> Result:
    """PUT a Location of an owner without OCPI-from."""
    body = a_location(owner, **changes)
    path = f"{owner.country_code}/{owner.party_id}/{body['id']}"
    return platform.hub.put("locations", "RECEIVER", path, body, to=HUB)


def test_the_owner_speaks_for_itself(cast: Cast) -> None:
    """Without OCPI-from the owner in the URL is the sender; by default 2001 asks who speaks."""
    platform = cast["P1"]
    assert without_sender(platform, CPB).status_code == 2001
    Platform.objects.filter(name="P1").update(quirks={"owner_speaks": True})
    answer = without_sender(platform, CPB)
    assert (answer.status_code, route(answer)) == (1000, (CPB, HUB))
    assert Location.objects.get().owner.startswith("NL-CPB")


def test_no_owner_of_another_platform_speaks(cast: Cast) -> None:
    """A URL, or a CDR, of a party that is not its own remains refused; nothing is kept of it."""
    platform, _ = cast.join("P1", "owner_speaks=on"), cast["P4"]
    mix = PartyRef("BE", "MIX")
    assert without_sender(platform, mix).status_code == 2001
    posted = platform.hub.post("cdrs", "RECEIVER", body=cdr_of(mix), to=HUB)
    assert posted.status_code == 2001
    assert not Location.objects.exists()
    assert not Cdr.objects.exists()


def test_what_names_no_owner_still_needs_a_sender(cast: Cast) -> None:
    """A list of others is read for one party: nothing says for which."""
    platform = cast.join("P1", "owner_speaks=on")
    assert platform.hub.get("tokens", "SENDER").status_code == 2001


def cdr_of(owner: PartyRef) -> dict[str, Any]:
    """Return a CDR of an owner about a driver of DE-MSA."""
    token = a_cdr_token(country_code="DE", party_id="MSA")
    named = {"country_code": owner.country_code, "party_id": owner.party_id}
    return a_cdr(**named, cdr_token=token)


def test_a_cdr_speaks_for_its_owner(cast: Cast) -> None:
    """The owner in its body is the sender."""
    platform, _ = cast.join("P1", "owner_speaks=on"), cast["P2"]
    cast.agree(("NL-CPB", "DE-MSA"))
    posted = platform.hub.post("cdrs", "RECEIVER", body=cdr_of(CPB), to=HUB)
    assert (posted.status_code, route(posted)) == (1000, (CPB, HUB)), str(posted)
    assert Cdr.objects.get().owner.startswith("NL-CPB")
