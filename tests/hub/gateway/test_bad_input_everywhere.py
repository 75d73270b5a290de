"""Thousands of broken objects of every module: the right code, never a crash, all or nothing.

Most are sent through the whole hub in this process (its WSGI handler, views, store and a real
database), because over sockets they would take many minutes; some of every kind over real HTTP.
"""

import copy
import json
import logging
from collections import Counter
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.models import Change
from tests.cast import HUB, MSA, Cast
from tests.hub.gateway.expected_answers import Fate, Member, members
from tests.hub.gateway.mutants import METHODS, PLAIN, Mutant, Mutants, Mutation, Raw, render
from tests.hub.in_process import Hub, State, rows_of
from tests.hub.samples import SAMPLES, TOKEN, Sample
from tests.thoroughness import generated

PER_MODULE = generated(1_500, long=10_000)
"""Different broken objects, at least."""
TOGETHER = 60
"""In one example of hypothesis."""
EXAMPLES = generated(34, long=222)

HUNDRED = 100
DEPTHS = (HUNDRED, 400, 800, 890, 910, 930, 950, 970, 990, 1_010, 5_000)

ANSWERS = {
    Fate.KEPT: {(200, 1000), (201, 1000)},
    Fate.SET_ASIDE: {(200, 1000), (201, 1000)},
    Fate.UNKNOWN_OWNER: {(200, 4001)},
    Fate.REFUSED: {(200, 2001)},
    Fate.NOT_JSON: {(400, 2001)},
}


@pytest.fixture
def quiet() -> Iterator[None]:
    """Do not log thousands of warnings."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def agreed(cast: Cast) -> Cast:
    """NL-CPA and DE-MSA, who may have everything of each other."""
    cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    return cast


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.module)
def test_broken_objects_are_kept_whole_or_refused(
    agreed: Cast, quiet: None, sample: Sample
) -> None:
    """What the tables allow is kept as it came, with one change for its receivers; or nothing."""
    hub = Hub(sample, agreed[sample.platform])
    sent: set[bytes] = set()
    answered: Counter[tuple[int, int]] = Counter()

    every = Mutants(sample)

    @given(seed=st.integers(0, 2**64 - 1))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(seed: int) -> None:
        hub.forget()
        start = json.dumps(sample.value).encode()
        assert (
            hub.send("POST" if sample.posted else "PUT", _path(sample, PLAIN), start)[0][0] == 201
        )
        state, chance = hub.state(), Random(seed)
        for number in (chance.randrange(len(every)) for _ in range(TOGETHER)):
            mutant = every[number]
            identifier = _identifier(sample, mutant.shape, len(sent))
            body = mutant.text(sample, identifier)
            said, state = _one(hub, mutant, identifier, body, state)
            answered[said] += 1
            sent.add(body)

    check()

    assert len(sent) >= PER_MODULE
    assert set(answered) >= {(201, 1000), (200, 2001), (400, 2001)}


def _identifier(sample: Sample, shape: str, number: int) -> str:
    return shape % (f"N{number}" if sample.posted else sample.value[sample.id_field])


def _path(sample: Sample, identifier: str) -> str:
    return sample.path(identifier if "%s" not in identifier else sample.value[sample.id_field])


def _one(
    hub: Hub, mutant: Mutant, identifier: str, body: bytes, before: State
) -> tuple[tuple[int, int], State]:
    """Send one broken object, and see that the answer says what became of it."""
    sample = hub.sample

    said, (envelope, answer) = hub.send(mutant.method, sample.path(identifier), body)

    fates, after = mutant.fates(sample, body), hub.state()
    case = (mutant, body, said, envelope.get("status_message"))
    assert said in set().union(*(ANSWERS[fate] for fate in fates)), case
    if said[1] != 1000:
        assert after == before, case
        assert envelope["status_message"], case
        assert "data" not in envelope, case
        return said, after
    repeated = after.repeated - before.repeated
    assert after.revisions - before.revisions == 1 - repeated, case
    assert after.changes - before.changes == 1 - repeated, case
    assert after.objects - before.objects == (said[0] == 201), case
    lacks_parts = "set aside" in (envelope.get("status_message") or "")
    assert (Fate.SET_ASIDE if lacks_parts else Fate.KEPT) in fates, case
    if mutant.method != "PATCH":
        _is_served(hub, identifier, body, answer, lacks_parts=lacks_parts)
    return said, after


def _is_served(hub: Hub, identifier: str, body: bytes, answer: Any, *, lacks_parts: bool) -> None:
    """See that the hub serves what was sent, to the letter of its numbers, but parts set aside."""
    path = hub.sample.path(identifier)
    if hub.sample.posted:
        path = answer.headers["Location"].rpartition("/")[2]
    elif hub.sample.module == "tokens":
        path += f"?type={quote(json.loads(body)['type'], safe='')}"
    said, (_, answer) = hub.send("GET", path)
    assert said == (200, 1000)
    served, sent = _spelled(answer.body)["data"], _spelled(body)
    if lacks_parts:
        assert served.pop("evses") != sent.pop("evses")
    assert served == sent


def _spelled(text: bytes) -> Any:
    return json.loads(text, parse_float=str, parse_int=str)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.module)
def test_every_required_member_is_required(agreed: Cast, sample: Sample) -> None:
    """Over real HTTP, one by one, at every depth: 2001 names it, nothing is stored.

    An EVSE or Connector that lacks one is set aside, which names it as well.
    """
    platform = agreed[sample.platform]
    required = [each for each in members(sample) if each.cardinality in {"1", "+"}]
    of_parts = [each for each in required if each.path[0] == "evses"]
    for member in [each for each in required if each not in of_parts]:
        for text in (None, "null"):
            result = sample.send(platform, _lacking(sample, member, text))

            assert (result.http_status, result.status_code) == (200, 2001), member
            assert member.name in str(result.message)
    assert len(required) >= 8
    assert not rows_of(sample).exists()
    assert not Change.objects.exists()
    for member in of_parts:
        result = sample.send(platform, _lacking(sample, member, None))

        assert result.status_code == 1000, member
        assert member.name in str(result.message)
        assert "set aside" in str(result.message)
        path = sample.path(sample.value[sample.id_field])
        found = platform.hub.get(sample.module, "RECEIVER", path, to=HUB, sender=sample.owner)
        assert found.data["evses"] != sample.value["evses"], member


def _lacking(sample: Sample, member: Member, text: str | None) -> str:
    body = copy.deepcopy(sample.value)
    Mutation(member, text).apply(body)
    return render(body)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.module)
def test_ten_megabytes_are_refused_and_five_are_kept(agreed: Cast, sample: Sample) -> None:
    """413 beyond what the hub reads, whatever is in it; just below it is an object like others."""
    platform = agreed[sample.platform]
    for filling in (b"x" * 10_000_000, b"[" * 10_000_000):
        text = json.dumps(sample.value).encode()[:-1] + b',"x_pad":"' + filling + b'"}'
        result = sample.send(platform, text)
        assert (result.http_status, result.status_code) == (413, 2001)
    assert not Change.objects.exists()

    kept = {**sample.value, "x_pad": "x" * 4_990_000}

    assert sample.send(platform, json.dumps(kept)).http_status == 201
    assert Change.objects.get().body == json.dumps(kept)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.module)
def test_no_depth_breaks_the_hub(agreed: Cast, quiet: None, sample: Sample) -> None:
    """A hundred levels are kept, also changed by PATCH or posted twice; what is too deep is 400."""
    hub = Hub(sample, agreed[sample.platform])
    path, posted = sample.path(sample.value[sample.id_field]), sample.posted
    for depth, method in product(DEPTHS, sorted(set(METHODS[sample.module]), reverse=True)):
        for number, kept in (("1", True), ("1", True), ("2", not posted)):
            deep = Raw('{"a":' * depth + number + "}" * depth)
            name = f"D{depth}" if posted else sample.value[sample.id_field]
            body = render({**sample.value, sample.id_field: name, "x_deep": deep})

            said, _ = hub.send(method, path, body.encode())

            assert said in {(200, 1000), (201, 1000), (200, 2001), (400, 2001)}, (depth, method)
            assert depth > HUNDRED or (said[1] == 1000) == kept, (depth, method)


@pytest.mark.parametrize("query", ["?type=%00", "?type=%1f", "?type=%ff", "?type=" + "x" * 3_000])
def test_a_type_no_token_can_have_breaks_nothing(agreed: Cast, query: str) -> None:
    """Refused or not found; a token is not mistaken for another."""
    emsp = agreed["P2"]
    assert TOKEN.send(emsp).http_status == 201
    path, stamp = TOKEN.path("TOKEN-1") + query, {"last_updated": "2027-01-01T00:00:00Z"}

    for method, body in (("GET", None), ("PUT", TOKEN.value), ("PATCH", stamp)):
        result = emsp.hub.send(method, "tokens", "RECEIVER", path, body, to=HUB, sender=MSA)

        assert result.status_code in {2001, 2004}, (method, str(result))
    assert Change.objects.count() == 1


def test_a_patch_does_not_turn_a_token_into_another(agreed: Cast) -> None:
    """Without `?type=` it is about the RFID token; its type is what tells it apart (A-99)."""
    emsp = agreed["P2"]
    TOKEN.send(emsp)
    patch = {"type": "APP_USER", "last_updated": "2027-01-01T00:00:00Z"}

    path = TOKEN.path("TOKEN-1")
    result = emsp.hub.patch("tokens", "RECEIVER", path, patch, to=HUB, sender=MSA)

    assert (result.http_status, result.status_code) == (200, 2001)
    assert "type" in str(result.message)
    found = emsp.hub.get("tokens", "RECEIVER", path, to=HUB, sender=MSA)
    assert found.data == TOKEN.value
