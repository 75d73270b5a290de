"""Lists that are nearly as specified are read, and their owner's operators hear of it."""

import json

import pytest

from ocpi.transport import envelope
from parties import deviations
from parties.models import ObservedDeviation
from sandbox import SandboxPlatform
from sandbox.misbehaviour import reply, say
from tests.cast import CPA, MSA, a_location
from tests.hub.location_owner import listed
from tests.hub.pull.workers import read

Pair = tuple[SandboxPlatform, SandboxPlatform]
OBJECTS = [a_location(CPA, 1), a_location(CPA, 2)]
LIST = json.dumps(OBJECTS).encode()


@pytest.mark.parametrize(
    "body,oddity",
    [
        (b"\xef\xbb\xbf" + envelope.render(data=LIST), "byte order mark"),
        (b'{"data":%b}' % LIST, "data without status_code"),
        (b'{"data":%b,"status_code":"Success"}' % LIST, "status_code that is a word"),
        (b'{"data":%b,"status_code":"1000"}' % LIST, "status_code that is no number"),
        (LIST, "list without an envelope"),
        (
            b'{"Data":%b,"StatusCode":1000,"Timestamp":"2026-01-01T00:00:00Z"}' % LIST,
            "members in another spelling",
        ),
    ],
)
def test_a_list_in_what_is_nearly_an_envelope_is_read(pair: Pair, body: bytes, oddity: str) -> None:
    """All of it, and the deviation is told."""
    cpo, emsp = pair

    with cpo.answer("GET /sender/locations", say(200, body)):
        done = read()

    deviations.write()
    assert (done.stored, done.last_error) == (2, "")
    assert sorted(listed(emsp, MSA)) == ["L1", "L2"]
    found = ObservedDeviation.objects.filter(deviation="odd_envelope")
    assert f"GET locations: {oddity}" in found.values_list("about", flat=True)


@pytest.mark.parametrize(
    "data,stored",
    [
        (OBJECTS[0], 1),
        ({"0": OBJECTS[0], "1": OBJECTS[1]}, 2),
        ({"locations": OBJECTS, "total": 2}, 2),
        (json.dumps(OBJECTS), 2),
        ({}, 0),
    ],
)
def test_data_that_is_no_list_is_read_as_one(pair: Pair, data: object, stored: int) -> None:
    """One object by itself, numbered members, a list within an object or written as a string."""
    cpo, _ = pair

    with cpo.answer("GET /sender/locations", reply(data)):
        done = read()

    deviations.write()
    assert (done.stored, done.last_error) == (stored, "")
    [row] = ObservedDeviation.objects.all()
    assert row.about == "GET locations: data that is no list"


@pytest.mark.parametrize("data", [7, "text", {"a": [], "b": []}, {"name": "nothing"}])
def test_data_of_which_nobody_knows_is_refused(pair: Pair, data: object) -> None:
    """The reason shows how it begins."""
    cpo, _ = pair

    with cpo.answer("GET /sender/locations", reply(data)):
        done = read()

    assert "`data` is not a list of objects" in done.last_error
