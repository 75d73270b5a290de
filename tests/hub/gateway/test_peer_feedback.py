"""What a platform does its own way is shown to the operator, and the flow goes on.

Spec: 2.2.1 transport and format; each deviation was seen at a real implementation.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from django.db import connection

from hub.models import DeadLetter, Subscription
from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from parties import deviations
from parties.deviations import Deviation, Met
from parties.models import ObservedDeviation, Platform
from sandbox import Answer, Responder, SandboxPlatform
from sandbox.misbehaviour import broken_json, detail, redirect, say, truncated
from tests.cast import CPA, HUB, MSA, Cast, a_location, command, push
from tests.hub.charging_objects import post_cdr
from tests.hub.gateway.commands import Asking, emsp_and_cpo, enveloped
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import a_token

Pair = tuple[SandboxPlatform, SandboxPlatform]


def _altered(change: Callable[[Answer], Answer]) -> Responder:
    return lambda call: call.send(change(call.usual()))


def _without(*names: str) -> Responder:
    dropped = {name.lower() for name in names}

    def change(answer: Answer) -> Answer:
        kept = {
            name: value for name, value in answer.headers.items() if name.lower() not in dropped
        }
        return replace(answer, headers=kept)

    return _altered(change)


def _with(**headers: str) -> Responder:
    return _altered(lambda answer: replace(answer, headers={**answer.headers, **headers}))


def _in_list(answer: Answer) -> Answer:
    envelope = json.loads(answer.body)
    return replace(answer, body=json.dumps({**envelope, "data": [envelope.get("data")]}).encode())


def _deviations(name: str) -> dict[str, int]:
    deviations.write()
    rows = ObservedDeviation.objects.filter(platform__name=name)
    return dict(rows.values_list("deviation", "times"))


LIST: Mapping[Deviation, Responder] = {
    Deviation.NO_ENVELOPE: detail(422),
    Deviation.UNREADABLE: truncated(),
    Deviation.REDIRECTS: redirect("https://elsewhere.example/"),
    Deviation.NO_IDS_RETURNED: _without(REQUEST_ID, CORRELATION_ID),
    Deviation.NO_SENDER_RETURNED: _without("OCPI-from-party-id"),
    Deviation.LINK_UNUSABLE: _with(Link="<https://HOST/VersionNumber.v_2_2_1/>; rel=next"),
}


@pytest.mark.parametrize("deviation", LIST)
def test_an_answer_that_deviates_is_noted(pair: Pair, deviation: Deviation) -> None:
    """Of a list, each alone."""
    cpo, emsp = pair

    with cpo.answer("/sender/locations", LIST[deviation]):
        emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA)

    assert _deviations("P1") == {deviation: 1}
    assert _deviations("P2") == {}


def test_half_an_answer_has_no_envelope(pair: Pair) -> None:
    """JSON that ends in the middle is as good as none."""
    cpo, emsp = pair

    with cpo.answer("/sender/locations", broken_json()):
        emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA)

    assert _deviations("P1") == {Deviation.NO_ENVELOPE: 1}


@pytest.mark.parametrize("rel", ["first", "prev"])
def test_links_to_other_pages_than_the_next_are_no_deviation(pair: Pair, rel: str) -> None:
    """Nor is a Location of what was not created."""
    cpo, emsp = pair
    link = _with(Link=f'<https://elsewhere.example/>; rel="{rel}"')

    with cpo.answer("/sender/locations", link):
        emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA)
    with emsp.answer("PUT", _with(Location="https://elsewhere.example/1")):
        push(cpo, a_location(), to=MSA)

    assert _deviations("P1") == _deviations("P2") == {}


def test_an_object_in_a_list_is_noted(pair: Pair) -> None:
    """Where one object was asked for; a list of a list's endpoint is none."""
    cpo, emsp = pair
    cpo.publish("locations", a_location())

    with cpo.answer("/sender/locations", _altered(_in_list)):
        emsp.hub.get("locations", "SENDER", "L1", to=CPA, sender=MSA)
    emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA)

    assert _deviations("P1") == {Deviation.OBJECT_IN_LIST: 1}


def test_a_location_that_leads_nowhere_is_noted(pair: Pair) -> None:
    """Of a CDR, at another host."""
    cpo, emsp = pair

    with emsp.answer("POST", _with(Location="https://elsewhere.example/cdrs/1")):
        post_cdr(cpo, to=MSA)

    assert _deviations("P2") == {Deviation.LOCATION_UNUSABLE: 1}


def test_messages_without_headers_are_noted(pair: Pair) -> None:
    """Neither ids nor sender: both, of the platform that sent them."""
    cpo, _ = pair
    bare = dict.fromkeys((REQUEST_ID, CORRELATION_ID))

    emsp = pair[1]
    emsp.hub.get("locations", "SENDER", to=HUB, sender=None, **bare)

    assert _deviations("P2") == {Deviation.NO_IDS_SENT: 1, Deviation.NO_SENDER_SENT: 1}
    assert _deviations("P1") == {}
    assert cpo.seen == []


def test_odd_objects_are_noted_by_where_not_what(pair: Pair) -> None:
    """The example names the member and holds nothing of it: it may be a token."""
    cpo, emsp = pair
    uid = "0" * 60

    emsp.publish("tokens", a_token(uid=uid))

    deviations.write()
    [row] = ObservedDeviation.objects.all()
    assert (row.deviation, row.about) == (Deviation.ODD_OBJECTS, "tokens: length")
    assert row.example == "uid"
    assert uid not in json.dumps(command("platforms"))
    assert cpo.seen == []


def test_deviations_of_requests_with_results(cast: Cast) -> None:
    """A URL in a query as it is, and a result in an envelope."""
    asking: Asking = emsp_and_cpo(cast)

    own = f"{asking.asker.addresses.origin}/results/1"
    asking.profile("GET", f"S1?response_url={own}%3Fid%3D1")
    asking.profile("GET", f"S1?response_url={own}?id=1")
    asking.result(enveloped({"result": "ACCEPTED"}))

    assert _deviations("P2")[Deviation.URL_NOT_ENCODED] == 1
    assert _deviations("P1")[Deviation.RESULT_IN_ENVELOPE] == 1


def test_bare_refusals_of_what_is_delivered_are_noted(
    pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """Also where nobody waits for the answer."""
    cpo, emsp = pair

    with emsp.answer("PUT", detail(422)):
        push(cpo, a_location())
        deliver_all()

    assert _deviations("P2") == {Deviation.NO_ENVELOPE: 1}


def test_a_well_behaved_platform_has_none(pair: Pair, deliver_all: Callable[[], int]) -> None:
    """Nothing is noted of what is as it should be."""
    cpo, emsp = pair

    push(cpo, a_location())
    deliver_all()
    emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA)
    post_cdr(cpo, to=MSA)

    deviations.write()
    assert ObservedDeviation.objects.count() == 0


def test_a_burst_is_counted_to_the_last(pair: Pair) -> None:
    """800 odd pushes are 800, however soon they follow each other."""
    emsp = pair[1]

    for number in range(800):
        emsp.publish("tokens", a_token(uid=f"{number:060}"))

    assert _deviations("P2") == {Deviation.ODD_OBJECTS: 800}


def test_each_module_and_kind_has_an_example_of_its_own(pair: Pair) -> None:
    """A Location that is odd in two ways, and a token: three rows."""
    cpo, emsp = pair

    push(cpo, a_location(name="n" * 300, facilities=["SAUNA"]))
    emsp.publish("tokens", a_token(uid="0" * 60))

    deviations.write()
    rows = ObservedDeviation.objects.order_by("about").values_list("about", "times", "example")
    assert list(rows) == [
        ("locations: length", 1, "name"),
        ("locations: value", 1, "facilities[0]"),
        ("tokens: length", 1, "uid"),
    ]


def test_what_is_odd_in_a_list_is_noted_as_in_a_push(pair: Pair) -> None:
    """Once, when it is taken: not each time the list is read."""
    cpo = pair[0]
    offer(cpo, "locations", a_location(name="n" * 300))

    for _ in range(2):
        read("locations", full=True)

    assert _deviations("P1") == {Deviation.ODD_OBJECTS: 1}


def test_it_is_written_soon_without_being_asked(pair: Pair) -> None:
    """A thread of the process adds the counts to the database."""
    pair[1].hub.get("locations", "SENDER", to=HUB, sender=None)

    end = time.monotonic() + 30
    while not ObservedDeviation.objects.exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_cannot_be_noted_is_let_go(pair: Pair) -> None:
    """A platform deleted meanwhile is in nobody's way, nor are its counts in those of others."""
    platform = Platform.objects.get(name="P1")
    for number in (0, platform.pk):
        deviations.note(number, [Met(Deviation.REDIRECTS, "GET locations")])

    assert _deviations("P1") == {Deviation.REDIRECTS: 1}
    assert ObservedDeviation.objects.count() == 1


def test_without_a_database_they_are_kept(pair: Pair) -> None:
    """What could not be added is added the next time."""
    platform = Platform.objects.get(name="P1")
    deviations.note(platform.pk, [Met(Deviation.REDIRECTS, "GET locations")])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE parties_observedhabit RENAME TO away")
        deviations.write()
        cursor.execute("ALTER TABLE away RENAME TO parties_observedhabit")

    assert _deviations("P1") == {Deviation.REDIRECTS: 1}


def test_operators_read_sentences(pair: Pair) -> None:
    """In `manage.py platforms --json`: what it means, how often, an example."""
    pair[1].hub.get("locations", "SENDER", to=HUB, sender=None)

    deviations.write()
    [platform] = [each for each in command("platforms") if each["name"] == "P2"]
    [deviation] = platform["habits"]

    assert deviation["habit"] == "no_sender_sent"
    assert deviation["meaning"].startswith("Sends messages without OCPI-from")
    assert (deviation["times"], deviation["about"]) == (1, "GET locations")


def _data(body: bytes) -> bytes:
    return json.dumps(json.loads(body)["data"]).encode()


NEARLY: Mapping[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "data without status_code": lambda body: json.dumps(
        {"data": json.loads(body)["data"]}
    ).encode(),
    "list without an envelope": lambda body: json.dumps(json.loads(body)["data"]).encode(),
    "status_code that is a word": lambda body: body.replace(b"1000", b'"Success"'),
}


@pytest.mark.parametrize("oddity", NEARLY)
def test_an_answer_that_is_nearly_an_envelope_is_passed_on_as_one(pair: Pair, oddity: str) -> None:
    """Its requester reads the same data as a success; operators see how odd the answer was."""
    cpo, emsp = pair
    cpo.publish("locations", a_location())
    change = _altered(lambda answer: replace(answer, body=NEARLY[oddity](answer.body)))

    with cpo.answer("/sender/locations", change):
        answer = emsp.hub.get("locations", "SENDER", to=CPA, sender=MSA)

    assert (answer.http_status, answer.status_code) == (200, 1000)
    assert [each["id"] for each in answer.data] == ["L1"]
    assert f"GET locations: {oddity}" in _abouts("P1")


@pytest.mark.parametrize("body", [b'{"status_code":"Success"}', b"[]", b'{"data":{}}'])
def test_a_push_answered_with_nearly_an_envelope_is_delivered(
    pair: Pair, deliver_all: Callable[[], int], body: bytes
) -> None:
    """Once; it is not sent again for an hour."""
    cpo, emsp = pair

    with emsp.answer("PUT", say(200, body)):
        push(cpo, a_location())
        deliver_all()

    assert not DeadLetter.objects.exists()
    assert not Subscription.objects.exclude(last_error="").exists()
    assert [each.split(":")[0] for each in _abouts("P2")][:1] == ["PUT locations"]


def _abouts(name: str) -> list[str]:
    deviations.write()
    rows = ObservedDeviation.objects.filter(platform__name=name, deviation="odd_envelope")
    return list(rows.values_list("about", flat=True))
