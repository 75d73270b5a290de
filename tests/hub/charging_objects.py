"""Sessions and CDRs of NL-CPA as they travel: pushed by the CPO, seen and listed by an eMSP."""

from typing import Any

from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform
from sandbox.client import Body
from sandbox.platform import object_path
from sandbox.recorder import Seen
from tests.cast import CPA, HUB, MSB, Cast
from tests.ocpi.objects import a_cdr, a_cdr_token, a_session

Json = dict[str, Any]
T1, T2, T3 = (f"2027-0{month}-01T00:00:00Z" for month in (1, 2, 3))
OF_MSB = {"country_code": MSB.country_code, "party_id": MSB.party_id}


def for_msb(value: Json) -> Json:
    """Give a Session or CDR to FR-MSB."""
    return {**value, "cdr_token": a_cdr_token(**OF_MSB)}


def two_emsps(cast: Cast) -> tuple[SandboxPlatform, SandboxPlatform, SandboxPlatform]:
    """Return P1, P2 and P3; NL-CPA exchanges everything with DE-MSA and with FR-MSB."""
    platforms = cast["P1"], cast["P2"], cast["P3"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    for platform in platforms:
        platform.forget()
    return platforms


def session(
    cpo: SandboxPlatform,
    method: str,
    body: Body = None,
    *,
    to: PartyRef | None = HUB,
    identifier: str = "S1",
    sender: PartyRef = CPA,
) -> Result:
    """Send a message about a Session to the RECEIVER interface."""
    path = object_path(sender, identifier)
    return cpo.hub.send(method, "sessions", "RECEIVER", path, body, to=to, sender=sender)


def put_session(cpo: SandboxPlatform, *, to: PartyRef | None = HUB, **changes: object) -> Result:
    """PUT a Session, right but for these members."""
    body = a_session(**changes)
    return session(cpo, "PUT", body, to=to, identifier=body["id"])


def held(cpo: SandboxPlatform, identifier: str = "S1") -> Any:
    """Return the Session the hub holds, which has to be there."""
    result = session(cpo, "GET", identifier=identifier)
    assert (result.http_status, result.status_code) == (200, 1000), str(result)
    return result.data


def post_cdr(
    cpo: SandboxPlatform, body: Body = None, *, to: PartyRef | None = HUB, **changes: object
) -> Result:
    """POST a CDR, right but for these members; or this text."""
    content = a_cdr(**changes) if body is None else body
    return cpo.hub.post("cdrs", "RECEIVER", body=content, to=to, sender=CPA)


def listed(
    platform: SandboxPlatform, module: str, party: PartyRef, **query: str
) -> tuple[list[str], int]:
    """Return the ids a party gets by GET-All, and the total it is told."""
    crawl = platform.hub.list(module, query, to=HUB, sender=party)
    assert all(page.status_code == 1000 for page in crawl.pages)
    total = int(crawl.pages[0].headers["X-Total-Count"])
    return [each["id"] for each in crawl.data], total


def asked(platform: SandboxPlatform, module: str) -> list[Seen]:
    """Return the messages about a module a platform saw, oldest first."""
    return [seen for seen in platform.seen if f"/{module}" in seen.route]


def posts(platform: SandboxPlatform) -> list[Any]:
    """Return the CDRs a platform was sent, oldest first."""
    return [seen.json for seen in asked(platform, "cdrs") if seen.method == "POST"]


def answered(result: Result) -> tuple[int, int | None]:
    """Return both statuses."""
    return result.http_status, result.status_code
