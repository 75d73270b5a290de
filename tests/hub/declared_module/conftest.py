"""Two platforms in a version only the test speaks, which has toys."""

import pytest

from ocpi.versions import VERSIONS
from tests.cast import CPA, MSA, Cast
from tests.hub.declared_module.toys import MODULE, NUMBER, Pair, version
from tests.hub.message_log.conftest import logged

__all__ = ["logged"]

OFFERED = {"toys": ["SENDER", "RECEIVER"], "locations": ["SENDER", "RECEIVER"]}


@pytest.fixture(autouse=True)
def _spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERSIONS, NUMBER, version(MODULE))


@pytest.fixture
def strangers(cast: Cast) -> Pair:
    """P1 and P2, registered in that version, without an agreement; P1 has pages of one object."""
    cpo = cast.join("P1", versions=[NUMBER], modules=OFFERED, page_limit=1)
    emsp = cast.join("P2", versions=[NUMBER], modules=OFFERED)
    for platform in (cpo, emsp):
        platform.forget()
    return cpo, emsp


@pytest.fixture
def partners(strangers: Pair, cast: Cast) -> Pair:
    """The same, which may exchange everything of NL-CPA."""
    cast.agree((str(CPA), str(MSA)))
    return strangers
