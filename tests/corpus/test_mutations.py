"""Good objects made wrong by the kinds of mess that were seen: kept whole, or refused by name."""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from sandbox.misbehaviour import reply
from tests.cast import Cast
from tests.corpus.mutations import KINDS, mutated
from tests.hub.in_process import Hub, rows_of
from tests.hub.pull.workers import read
from tests.hub.samples import SAMPLES, Sample
from tests.thoroughness import generated

OBJECTS = generated(300, long=5_000)
"""Of each module."""
PULLED = 90
"""In one page: no more than a platform is asked for."""
SEED = 20261130


@pytest.fixture
def quiet() -> Iterator[None]:
    """Do not log a warning for each."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def agreed(cast: Cast) -> Cast:
    """NL-CPA and DE-MSA, who may have everything of each other."""
    cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    return cast


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.module)
def test_what_is_wrong_as_real_objects_are_is_kept_whole_or_refused_by_name(
    agreed: Cast, quiet: None, sample: Sample
) -> None:
    """No 5xx; a refusal names a member that is wrong and leaves all as it was."""
    hub, chance = Hub(sample, agreed[sample.platform]), Random(SEED)
    method, path = ("POST" if sample.posted else "PUT"), sample.path(sample.value[sample.id_field])
    before, answers = hub.state(), Counter[str]()

    for number in range(OBJECTS):
        own_id = {sample.id_field: f"M{number}"} if sample.posted else {}
        value, done = mutated({**sample.value, **own_id}, chance)
        said, (envelope, _answer) = hub.send(method, path, json.dumps(value).encode())

        case = (done, value, said, envelope.get("status_message"))
        after = hub.state()
        if said[1] == 1000:
            assert said[0] in {200, 201}, case
            assert after.objects <= before.objects + 1, case
            answers["kept"] += 1
        else:
            assert said in {(200, 2001), (200, 4001)}, case
            assert after == before, case
            message = str(envelope["status_message"])
            assert any(each.member in message for each in done), case
            answers["refused"] += 1
        before = after

    assert min(answers["kept"], answers["refused"]) > OBJECTS // 10


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.module)
def test_each_of_a_list_of_such_objects_is_accounted_for(
    agreed: Cast, quiet: None, sample: Sample
) -> None:
    """Taken, or in quarantine with a member's name; the list is read to its end."""
    chance, platform = Random(SEED + 1), agreed[sample.platform]
    good = [{**sample.value, sample.id_field: f"M{number}"} for number in range(PULLED)]
    page = [mutated(each, chance)[0] for each in good]

    with platform.answer(f"GET /sender/{sample.module}", reply(page)):
        done = read(sample.module, sample.owner, full=True)

    assert (done.last_error, done.seen) == ("", PULLED)
    outcomes = (done.stored, done.unchanged, done.older, done.passed_over, done.quarantined)
    assert sum(outcomes) == PULLED
    assert min(done.stored, done.quarantined) > PULLED // 10
    assert rows_of(sample).count() <= done.stored
    kept = done.quarantine.all()
    assert all(re.match(r"[A-Za-z_0-9.\[\]]+: ", each.findings) for each in kept)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.module)
def test_the_same_seed_makes_the_same_objects(sample: Sample) -> None:
    """And no kind of mess is left out for long; the good object stays as it was."""
    good = json.dumps(sample.value)
    first, again = (
        [mutated(sample.value, chance) for _ in range(50)] for chance in (Random(1), Random(1))
    )

    assert first == again
    assert json.dumps(sample.value) == good
    assert all(value != sample.value for value, _ in first)


def test_every_kind_of_mess_is_made() -> None:
    """Of some module, in so many objects."""
    chance = Random(2)
    made = {
        each.kind
        for sample in SAMPLES
        for _ in range(300)
        for each in mutated(sample.value, chance)[1]
    }
    assert made == set(KINDS)
