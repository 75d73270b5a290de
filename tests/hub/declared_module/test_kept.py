"""A module of which one type of objects is kept: stored, served and delivered as declared."""

from collections.abc import Callable

import pytest

from hub.models import Tariff
from hub.module_policy import POLICIES, ModulePolicy
from ocpi.modules import Module
from ocpi.transport.pagination import read_link
from ocpi.types import ModuleID
from ocpi.versions import VERSIONS
from sandbox import Result
from tests.cast import CPA, HUB, MSA, Cast
from tests.hub.declared_module.toys import KEPT, NUMBER, OLDER, TOYS, Pair, a_toy, asked, version
from tests.hub.pull.workers import offer, read


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch, _spoken: None) -> None:
    """Keep toys, in the table of something else: a module of its own would have one."""
    columns = POLICIES[ModuleID.TARIFFS].columns
    monkeypatch.setitem(POLICIES, TOYS, ModulePolicy(model=Tariff, columns=columns))
    monkeypatch.setitem(VERSIONS, NUMBER, version(KEPT))


def _put(pair: Pair, toy: dict[str, str]) -> Result:
    path = f"toys/NL/CPA/{toy['id']}"
    return pair[0].hub.put("toys", "RECEIVER", path, toy, to=HUB, sender=CPA)


def test_what_is_kept_is_delivered_and_served(
    partners: Pair, deliver_all: Callable[[], int]
) -> None:
    """At the paths that are declared, the list page by page; the other type still is not."""
    emsp = partners[1]
    toys = [a_toy(id=name) for name in ("T1", "T2")]

    for toy in toys:
        assert (_put(partners, toy).http_status, _put(partners, toy).status_code) == (201, 1000)
    deliver_all()

    # Different objects are sent side by side: in which order they arrive is nobody's promise.
    assert sorted(asked(emsp)) == [("PUT", "toys/NL/CPA/T1"), ("PUT", "toys/NL/CPA/T2")]
    url = f"{emsp.hub.endpoint('toys', 'SENDER')}/toys"
    pages = [emsp.hub.get("toys", "SENDER", "toys?limit=1", to=HUB, sender=MSA)]
    link = read_link(pages[0].headers["Link"], base_url=url) or ""
    assert link.startswith(f"{url}?")
    pages.append(emsp.hub.read(link))
    assert [page.data for page in pages] == [[toy] for toy in toys]
    assert emsp.hub.get("toys", "SENDER", "toys/T2", to=HUB, sender=MSA).data == toys[1]
    repairs = emsp.hub.get("toys", "SENDER", "repairs", to=HUB, sender=MSA)
    assert repairs.status_code == 4000


def test_lists_are_read_where_they_lie_and_newcomers_are_told(
    strangers: Pair, cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """A crawl follows the list's own pages, a snapshot goes to the same paths as a change."""
    cpo, emsp = strangers
    offer(cpo, "toys", a_toy(), a_toy(id="T2"))

    read("toys")
    cast.agree((str(CPA), str(MSA)))
    deliver_all()

    assert asked(cpo) == [("GET", "toys"), ("GET", "toys")]
    # Different objects are sent side by side: in which order they arrive is nobody's promise.
    assert sorted(asked(emsp)) == [("PUT", "toys/NL/CPA/T1"), ("PUT", "toys/NL/CPA/T2")]


@pytest.mark.parametrize(
    "module, length", [(KEPT, 20), (OLDER, 5)], ids=["this version", "an older one"]
)
def test_each_version_checks_by_its_own_class(
    strangers: Pair, monkeypatch: pytest.MonkeyPatch, module: Module, length: int
) -> None:
    """What is longer than a version allows is kept and mentioned, by its own limit."""
    monkeypatch.setitem(VERSIONS, NUMBER, version(module))

    told = _put(strangers, a_toy(name="x" * 21))

    assert (told.http_status, told.status_code) == (201, 1000)
    assert f"longer than {length} characters" in (told.message or "")
