"""A driver's day, from the Location to the CDR: each platform opens connections to the hub alone.

Spec: 2.2.1 transport and format, message routing; every URL that crosses the hub becomes its own.
"""

import json
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings

from ocpi.transport.authorization import header
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, MSA, Cast, a_location
from tests.hub.charging_objects import post_cdr, put_session
from tests.hub.gateway.commands import ACTIVE, Asking, answered, forget, joined, results
from tests.ocpi.objects import a_session, a_token

DONE = {"result": "ACCEPTED"}


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """DE-MSA and NL-CPA, whose lists have pages of one object."""
    cpo, emsp = joined(cast, "P1", page_limit=1), joined(cast, "P2", page_limit=1)
    cast.agree(("NL-CPA", "DE-MSA"))
    forget(cpo, emsp)
    return Asking(emsp, cpo)


@pytest.mark.conformance("TF-40")
def test_neither_platform_ever_meets_the_other(
    asking: Asking, deliver_all: Callable[[], int]
) -> None:
    """Both follow every URL they are given, and all they are given leads to the hub."""
    cpo, emsp = asking.asked, asking.asker
    _published(asking)
    deliver_all()
    by_cpo, by_emsp = _started(asking), _steered(asking)
    by_cpo += _billed(cpo)
    by_emsp += _listed(emsp)

    assert len(results(emsp)) == 4
    for platform, other, told in ((cpo, emsp, by_cpo), (emsp, cpo, by_emsp)):
        [token] = platform.tokens.valid
        strangers = [seen for seen in platform.seen if not _is_from_hub(dict(seen.headers), token)]
        assert strangers == []
        said = [f"{seen} {dict(seen.headers)} {seen.body!r}" for seen in platform.seen]
        said += [f"{dict(result.headers)} {result.body!r}" for result in told]
        assert len(said) > 10
        names = (f":{other.port}", f"%3A{other.port}")
        assert [text for text in said if any(name in text for name in names)] == []


def _is_from_hub(headers: dict[str, str], token: str) -> bool:
    known = headers["Authorization"] == header(token)
    return known and headers["User-Agent"] == f"ocpi-hub/{settings.HUB_VERSION}"


def _published(asking: Asking) -> None:
    """Tell Locations and a Token to the hub."""
    for number in (1, 2, 3):
        assert asking.asked.publish("locations", a_location(CPA, number)).http_status == 201
    assert asking.asker.publish("tokens", a_token()).http_status == 201


def _started(asking: Asking) -> list[Result]:
    """Authorize, start, reserve; return what the CPO was told."""
    hub = asking.asked.hub
    said = [hub.post("tokens", "SENDER", "TOKEN-1/authorize", to=MSA, sender=CPA)]
    for name in ("START_SESSION", "RESERVE_NOW"):
        assert answered(asking.command(name)) == (200, 1000)
        said.append(asking.result(DONE))
    asking.asked.own["sessions"]["NL", "CPA", "S1"] = json.dumps(a_session())
    said.append(put_session(asking.asked, to=MSA))
    return _successful(said)


def _steered(asking: Asking) -> list[Result]:
    """Set a preference and a profile, and ask for it; return what the eMSP was told."""
    hub, encoded = asking.asker.hub, quote(asking.url, safe="")
    preferences = {"profile_type": "GREEN"}
    path = "S1/charging_preferences"
    said = [hub.put("sessions", "SENDER", path, preferences, to=CPA, sender=MSA)]
    for method, suffix in (("PUT", "S1"), ("GET", f"S1?duration=9&response_url={encoded}")):
        said.append(asking.profile(method, suffix))
        assert answered(asking.result(DONE)) == (200, 1000)
    cpo = asking.asked.hub
    update = cpo.put("chargingprofiles", "SENDER", "S1", ACTIVE, to=None, sender=CPA)
    return _successful([*said, update])


def _billed(cpo: SandboxPlatform) -> list[Result]:
    """Post a CDR and read it where it is said to be; return what the CPO was told."""
    posted = post_cdr(cpo, to=MSA)
    return _successful([posted, cpo.hub.read(str(posted.location))])


def _listed(emsp: SandboxPlatform) -> list[Result]:
    """Follow a list of the CPO from page to page; return the pages."""
    crawl = emsp.hub.list("locations", to=CPA, sender=MSA)
    assert [each["id"] for each in crawl.data] == ["L1", "L2", "L3"]
    hub = urlsplit(emsp.hub.connected.versions_url).netloc
    assert all(hub in page.headers["Link"] for page in crawl.pages[:-1])
    return _successful(list(crawl.pages))


def _successful(said: list[Result]) -> list[Result]:
    assert [str(result) for result in said if not result.succeeded] == []
    return said
