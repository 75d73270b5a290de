"""What is one party's at its platform is nobody else's that has the same country code and id.

Spec: 2.2.1 credentials, CredentialsRole class; A-30, A-34, A-46. Each kind of thing the hub keeps
or hands out: objects of owners, own copies, pages, results, CDRs, agreements, deliveries.
"""

import json
from collections.abc import Callable

import pytest

from hub.delivery import subscriptions
from hub.models import DeadLetter, Location, Session, Subscription
from ocpi.types import PartyRef
from parties import holders
from parties.models import Agreement, Party, Platform
from tests import cast as casting
from tests.cast import CPA, HUB, MSA, Cast, a_location, command, push, route
from tests.hub.charging_objects import listed, put_session, session, two_emsps
from tests.hub.gateway.commands import answered, in_envelope, joined
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import a_cdr, a_session, a_token

pytestmark = [pytest.mark.security("S-10"), pytest.mark.conformance("TF-84")]

YYY = PartyRef("DE", "YYY")
LONG_AGO = "2025-01-01T00:00:00Z"
SOON = "2099-01-01T00:00:00Z"
OF_YYY = {"country_code": "DE", "party_id": "YYY"}
OF_TOKENS = {"tokens": ("SENDER",), "sessions": ("RECEIVER",), "cdrs": ("RECEIVER",)}
Deliver = Callable[[], int]


def agree(owner: tuple[str, str], reader: tuple[str, str]) -> None:
    """Make an agreement between two parties in the roles that are named."""
    cpo, emsp = (Party.objects.get(role=role, key=key) for role, key in (owner, reader))
    Agreement.objects.create(cpo=cpo, emsp=emsp, state="ACTIVE")


Shared = Callable[[str, str], Cast]


@pytest.fixture
def shared(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """Register DE-YYY at platforms A and B, in the two roles a test names."""

    def register(*roles: str) -> Cast:
        for name, role in zip(("A", "B"), roles, strict=True):
            monkeypatch.setitem(casting.ROLES, name, [(role, "DE", "YYY")])
            joined(cast, name, **({"modules": OF_TOKENS} if role == "OTHER" else {}))
        return cast

    return register


def test_two_owners_of_one_key_have_objects_of_their_own(
    shared: Shared, deliver_all: Deliver
) -> None:
    """The same ids, two Locations: each owner reads its own, each reader gets what it may."""
    vendors = shared("CPO", "NAP")
    first, second, emsp = vendors["A"], vendors["B"], vendors["P2"]
    agree(("NAP", "DE-YYY"), ("EMSP", "DE-MSA"))
    ours, theirs = (a_location(YYY, name=name) for name in ("CPO's", "NAP's"))
    for platform, body in ((first, ours), (second, theirs)):
        assert push(platform, body).http_status == 201
        assert push(platform, body).http_status == 200
    emsp.forget()
    deliver_all()

    for platform, body in ((first, ours), (second, theirs)):
        held = platform.hub.get("locations", "RECEIVER", "DE/YYY/L1", to=HUB, sender=YYY)
        assert held.data == body
    assert emsp.hub.list("locations", to=HUB).data == [theirs]
    assert [seen.json for seen in emsp.seen if seen.method == "PUT"] == [theirs]
    assert sorted(Location.objects.values_list("owner", flat=True)) == sorted(holders.names(YYY))
    assert len(command("where", "LOCATION", "DE", "YYY", "L1")) == 2


@pytest.mark.parametrize("reader, away", [("A", "B"), ("B", "A")])
def test_what_is_pushed_to_one_reader_is_not_the_others(
    shared: Shared, reader: str, away: str
) -> None:
    """Both read NL-CPA's Locations; what one of them was sent itself is in its own list alone."""
    vendors = shared("EMSP", "NSP")
    cpo = vendors["P1"]
    for role in ("EMSP", "NSP"):
        agree(("CPO", "NL-CPA"), (role, "DE-YYY"))
    Platform.objects.filter(name=away).update(status="OFFLINE")

    assert push(cpo, a_location(name="for one"), to=YYY).http_status == 201

    assert [each["name"] for each in vendors[reader].hub.list("locations", to=HUB).data] == [
        "for one"
    ]
    assert vendors[away].hub.list("locations", to=HUB).data == []


@pytest.mark.parametrize("owner", ["A", "B"])
def test_an_object_is_asked_for_at_its_owner(shared: Shared, owner: str) -> None:
    """Who names no receiver means the party whose object it is, not another of its name."""
    vendors = shared("CPO", "NAP")
    emsp, other = vendors["P2"], vendors["AB".replace(owner, "")]
    for role in ("CPO", "NAP"):
        agree((role, "DE-YYY"), ("EMSP", "DE-MSA"))
    assert push(vendors[owner], a_location(YYY)).http_status == 201
    other.forget()

    emsp.hub.get("locations", "SENDER", "L1", to=None)

    assert [seen for seen in vendors[owner].seen if "/sender/locations/L1" in seen.path]
    assert other.seen == []


def test_a_session_is_for_one_of_two_owners_of_tokens(shared: Shared, deliver_all: Deliver) -> None:
    """Of a key with two roles that own tokens it is the eMSP's, as long as the CPO may reach it."""
    vendors = shared("EMSP", "OTHER")
    cpo, emsp, other = vendors["P1"], vendors["A"], vendors["B"]
    agree(("CPO", "NL-CPA"), ("OTHER", "DE-YYY"))
    token = a_session()["cdr_token"] | OF_YYY
    assert answered(put_session(cpo, id="S1", cdr_token=token)) == (201, 1000)
    deliver_all()
    assert [seen.json["id"] for seen in other.seen if "/sessions/" in seen.path] == ["S1"]
    agree(("CPO", "NL-CPA"), ("EMSP", "DE-YYY"))
    assert answered(put_session(cpo, id="S2", cdr_token=token)) == (201, 1000)
    emsp.stop()
    gone = put_session(cpo, id="S3", cdr_token=token, to=YYY)
    emsp.start()
    deliver_all()

    assert answered(gone) == (200, 4003)
    Platform.objects.filter(name="A").update(status="OFFLINE")
    assert answered(put_session(cpo, id="S4", cdr_token=token)) == (201, 1000)
    assert listed(emsp, "sessions", YYY) == (["S2", "S4"], 2)
    assert listed(other, "sessions", YYY) == (["S1"], 1)
    assert [seen.json["id"] for seen in emsp.seen if "/sessions/" in seen.path] == ["S2"]
    assert [seen.json["id"] for seen in other.seen if "/sessions/" in seen.path] == ["S1"]


def test_what_a_list_has_is_its_platforms(shared: Shared) -> None:
    """Objects that are pulled are the party's whose list it is, not its namesake's."""
    vendors = shared("EMSP", "CPO")
    cpo = vendors["B"]
    offer(cpo, "locations", a_location(YYY))

    assert read("locations", YYY).stored == 1

    held = cpo.hub.get("locations", "RECEIVER", "DE/YYY/L1", to=HUB, sender=YYY)
    assert held.data == a_location(YYY)
    assert Location.objects.get().owner == holders.names(YYY)[1]


def test_a_reservation_is_ended_by_who_made_it(shared: Shared) -> None:
    """Its namesake cannot cancel it by its id; nor is it told whether there is one."""
    vendors = shared("EMSP", "OTHER")
    joined(vendors, "P1")
    made_by, namesake = vendors["A"], vendors["B"]
    for role in ("EMSP", "OTHER"):
        agree(("CPO", "NL-CPA"), (role, "DE-YYY"))
    for platform, expected in ((made_by, 1000), (namesake, 2001)):
        asks = {"response_url": f"{platform.addresses.origin}/results/1", "reservation_id": "R1"}
        if platform is made_by:
            token = a_token(**OF_YYY)
            body = {**asks, "token": token, "location_id": "L1", "expiry_date": SOON}
            made = platform.hub.post("commands", "RECEIVER", "RESERVE_NOW", body, to=CPA)
            assert answered(made) == (200, 1000)
        ended = platform.hub.post("commands", "RECEIVER", "CANCEL_RESERVATION", asks, to=None)
        assert answered(ended) == (200, expected)


def test_tokens_of_one_are_not_the_others(shared: Shared) -> None:
    """Each sends its own; a CPO lists those of whom it may exchange tokens with."""
    vendors = shared("EMSP", "OTHER")
    cpo = vendors["P1"]
    agree(("CPO", "NL-CPA"), ("OTHER", "DE-YYY"))
    for name, uid in (("A", "U1"), ("B", "U2")):
        value = a_token(uid=uid, **OF_YYY)
        result = vendors[name].hub.put("tokens", "RECEIVER", f"DE/YYY/{uid}", value, to=HUB)
        assert result.http_status == 201

    assert [each["uid"] for each in cpo.hub.list("tokens", to=HUB, sender=CPA).data] == ["U2"]
    for uid, code in (("U1", 2004), ("U2", 1000)):
        vendors["B"].answer("POST", in_envelope({"allowed": "ALLOWED"}))
        asked = cpo.hub.post(
            "tokens", "SENDER", f"{uid}/authorize", {"location_id": "L"}, sender=CPA
        )
        assert asked.status_code == code
    wrong = vendors["A"].hub.get("tokens", "RECEIVER", "DE/YYY/U2", to=HUB)
    assert wrong.http_status == 404


def test_a_page_is_for_the_platform_it_was_made_for(shared: Shared) -> None:
    """Cursors of the hub's list and links to a party's are refused at the other platform."""
    vendors = shared("EMSP", "NSP")
    cpo, emsp, other = vendors["P1"], vendors["A"], vendors["B"]
    for role in ("EMSP", "NSP"):
        agree(("CPO", "NL-CPA"), (role, "DE-YYY"))
    for number in range(3):
        body = a_location(number=number)
        cpo.own["locations"]["NL", "CPA", body["id"]] = json.dumps(body)
        push(cpo, body)
    cpo.forget()
    for to, code in ((HUB, (200, 2001)), (CPA, (404, 2001))):
        page = emsp.hub.get("locations", "SENDER", "?limit=1", to=to)
        url = page.headers["Link"].partition("<")[2].partition(">")[0]
        assert answered(emsp.hub.read(url)) == (200, 1000)
        cpo.forget()

        for sender in (YYY, None):
            assert answered(other.hub.read(url, sender=sender)) == code
        assert cpo.seen == []


def test_a_company_may_agree_with_itself_at_another_platform(
    shared: Shared, deliver_all: Deliver
) -> None:
    """Its eMSP gets its CPO's Locations once they agree, and is reached under the same name."""
    vendors = shared("EMSP", "CPO")
    emsp, cpo = vendors["A"], vendors["B"]
    assert push(cpo, a_location(YYY)).http_status == 201
    assert emsp.hub.list("locations", to=HUB).data == []
    itself = push(cpo, a_location(YYY), to=YYY)
    assert answered(itself) == (200, 2001)

    command("agree", "DE-YYY", "DE-YYY")
    deliver_all()

    assert command("explain", "DE-YYY", "DE-YYY", "locations")["allowed"]
    assert emsp.hub.list("locations", to=HUB).data == [a_location(YYY)]
    assert [seen.json for seen in emsp.seen if seen.method == "PUT"] == [a_location(YYY)]
    directly = push(cpo, a_location(YYY, 2), to=YYY)
    assert (answered(directly), route(emsp.seen[-1])) == ((201, 1000), (YYY, YYY))
    asked = emsp.hub.get("locations", "SENDER", to=YYY)
    assert (answered(asked), route(cpo.seen[-1])) == ((200, 1000), (YYY, YYY))


def test_nobody_acts_with_what_its_namesake_was_given(shared: Shared, deliver_all: Deliver) -> None:
    """What DE-YYY the CPO is told and asked for, DE-YYY the eMSP neither gets nor answers."""
    vendors = shared("CPO", "EMSP")
    cpo, stranger, emsp = vendors["A"], vendors["B"], joined(vendors, "P2")
    agree(("CPO", "DE-YYY"), ("EMSP", "DE-MSA"))
    emsp.publish("tokens", a_token())
    emsp.hub.put("tokens", "RECEIVER", "DE/MSA/U9", a_token(uid="U9"), to=YYY)
    deliver_all()
    body = {"response_url": f"{emsp.addresses.origin}/results/1", "session_id": "S1"}
    assert answered(emsp.hub.post("commands", "RECEIVER", "STOP_SESSION", body, to=YYY))[1] == 1000
    url = cpo.seen[-1].json["response_url"]
    posted = cpo.hub.post("cdrs", "RECEIVER", body=a_cdr(**OF_YYY), to=MSA)
    emsp.forget()

    assert [str(seen) for seen in stranger.seen if "/tokens" in seen.path] == []
    assert stranger.hub.list("tokens", to=HUB).data == []
    own = {"to": None, "sender": None}
    assert answered(stranger.hub.call("POST", url, {"result": "ACCEPTED"}))[0] == 404
    assert answered(stranger.hub.read(posted.headers["Location"], **own)) == (404, 2001)
    assert answered(cpo.hub.read(posted.headers["Location"], **own)) == (200, 1000)
    put = session(stranger, "PUT", a_session(**OF_YYY), to=MSA, sender=YYY)
    assert answered(put) in {(200, 4001), (404, 2001)}
    asked = stranger.hub.post("tokens", "SENDER", "U9/authorize", {}, to=MSA)
    assert answered(asked) == (200, 4001)
    assert [seen for seen in emsp.seen if seen.method != "GET"] == []


def test_what_an_operator_looks_up_by_name_is_of_all_who_have_it(shared: Shared) -> None:
    """`explain` judges each platform by itself and says which; names tell them apart."""
    vendors = shared("EMSP", "CPO")
    assert vendors["P1"]
    agree(("CPO", "NL-CPA"), ("EMSP", "DE-YYY"))
    said = command("explain", "NL-CPA", "DE-YYY", "locations")

    assert said["allowed"]
    names = holders.names(YYY)
    assert names[0] == "DE-YYY"
    assert names[1].startswith("DE-YYY@")
    assert all(f"with {name}" in said["why"] for name in names)
    assert holders.ref_of(names[1]) == YYY


def test_who_comes_after_one_of_two_finds_nothing_of_it(shared: Shared) -> None:
    """What is older than its predecessor's end is nobody's, whoever else has the key; B's stays."""
    vendors = shared("EMSP", "OTHER")
    cpo, other = vendors["P1"], vendors["B"]
    agree(("CPO", "NL-CPA"), ("OTHER", "DE-YYY"))
    token = a_session()["cdr_token"] | OF_YYY
    offer(cpo, "sessions", a_session(id="S0", cdr_token=token, last_updated=LONG_AGO))
    assert read("sessions", full=True).stored == 1
    command("forget_platform", "A", "--yes")
    offer(cpo, "sessions", a_session(id="S1", cdr_token=token, last_updated=LONG_AGO))
    assert read("sessions", full=True).stored == 1
    offer(cpo, "sessions", a_session(id="S2", cdr_token=token, last_updated=LONG_AGO))

    joined(vendors, "A")
    agree(("CPO", "NL-CPA"), ("EMSP", "DE-YYY"))

    assert read("sessions", full=True).passed_over == 3
    assert listed(vendors["A"], "sessions", YYY) == ([], 0)
    assert listed(other, "sessions", YYY) == (["S0", "S1"], 2)


def test_figures_tell_the_two_apart(shared: Shared) -> None:
    """Who waits, and who refused something, is named by the platform too."""
    vendors = shared("EMSP", "NSP")
    cpo = vendors["P1"]
    for role in ("EMSP", "NSP"):
        agree(("CPO", "NL-CPA"), (role, "DE-YYY"))
    subscriptions.reconcile()
    push(cpo, a_location())
    for subscription in Subscription.objects.filter(module="locations", receiver__key="DE-YYY"):
        DeadLetter.objects.create(subscription=subscription, method="PUT")

    status = command("status")

    assert sorted(each["receiver"] for each in status["waiting"]) == sorted(holders.names(YYY))
    assert status["dead_letters"]["by_receiver"] == dict.fromkeys(holders.names(YYY), 1)


def test_a_party_that_moves_takes_along_what_is_its(cast: Cast) -> None:
    """The operator lets another platform have it: it is the same holder still."""
    cpo, _, _ = two_emsps(cast)
    put_session(cpo)
    party = Party.objects.get(key="DE-MSA")
    party.platform = Party.objects.get(key="FR-MSB").platform
    party.save(update_fields=["platform"])

    party.refresh_from_db()

    assert (party.holder, Session.objects.get().audience) == ("DE-MSA", "DE-MSA")


def test_who_comes_after_a_forgotten_platform_finds_nothing(cast: Cast) -> None:
    """The successor of a key begins with empty lists, under whichever name."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    put_session(cpo)
    assert listed(emsp, "sessions", MSA) == (["S1"], 1)
    command("forget_platform", "P2", "--yes")

    successor = cast.join("P2")
    cast.agree(("NL-CPA", "DE-MSA"))

    assert listed(successor, "sessions", MSA) == ([], 0)
    assert not Session.objects.exists()
