"""The corpus: what the hub makes of each object, and that push and pull say the same of it."""

import pytest

from hub.models import Cdr, Quarantined
from sandbox.misbehaviour import say
from tests.cast import CPA, HUB, MSA, Cast
from tests.corpus import VERDICTS, Specimen, specimens
from tests.corpus.judge import OWNERS, id_of, judged
from tests.hub.pull.workers import read
from tests.thoroughness import generated

ALL = specimens()
IDENTITY = {"", "id", "uid", "country_code", "party_id"}
"""What a URL says in a push, and only the object itself in a list."""
EACH = generated(5, long=1)
"""Of so many one goes both ways by HTTP."""


@pytest.mark.parametrize("specimen", ALL, ids=[each.name for each in ALL])
def test_each_object_gets_its_verdict(specimen: Specimen) -> None:
    """Every finding by its path and kind of fault, none besides."""
    verdict, findings = judged(specimen)

    assert verdict == specimen.verdict, [str(each) for each in findings]
    assert {each.path: each.fault or "" for each in findings} == specimen.findings


def test_the_corpus_is_told_apart() -> None:
    """Each file says what was seen; every module has objects of every verdict."""
    assert all(each.seen.endswith(".") for each in ALL)
    assert len({each.text for each in ALL}) == len(ALL)
    for module in OWNERS:
        found = {each.verdict for each in ALL if each.module == module}
        assert found == set(VERDICTS), module


@pytest.mark.parametrize("module", OWNERS)
def test_push_and_pull_say_the_same(cast: Cast, module: str) -> None:
    """By HTTP: what the answer to a push says is what the quarantine says, or it is in neither."""
    name, owner, _ = OWNERS[module]
    platform = cast[name]
    cast["P1"], cast["P2"]
    cast.agree((str(CPA), str(MSA)))
    chosen = [each for each in ALL if each.module == module and isinstance(each.value, dict)]

    for specimen in chosen[::EACH]:
        Quarantined.objects.all().delete()
        Cdr.objects.all().delete()  # each is another one, and never changes
        path = (
            "" if module == "cdrs" else f"{owner.country_code}/{owner.party_id}/{id_of(specimen)}"
        )
        pushed = platform.hub.send(
            "POST" if module == "cdrs" else "PUT",
            module, "RECEIVER", path, specimen.text, to=HUB, sender=owner,
        )  # fmt: skip
        page = say(200, b'{"status_code":1000,"data":[%b]}' % specimen.text)
        with platform.answer(f"GET /sender/{module}", page):
            read(module, owner, full=True)

        kept = [each.findings for each in Quarantined.objects.all()]
        assert (pushed.status_code == 1000) == (specimen.verdict != "refused"), specimen.name
        assert bool(kept) == (specimen.verdict == "refused"), specimen.name
        if kept and not set(specimen.findings) & IDENTITY:
            assert "; ".join(kept[0].split("\n")) == pushed.message, specimen.name
        for at in specimen.findings:
            assert at in str(pushed.message), specimen.name
