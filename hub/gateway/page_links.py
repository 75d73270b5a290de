"""The next page of a list that a party serves, as a URL of the hub.

Spec: 2.2.1 transport and format, pagination; TF-42 to TF-44, A-45, A-46. The URL carries the
party's own link, sealed for one list of the hub, with whom it was given to and whose list it
is: nothing is stored, it outlives a restart and a rotation of `CREDENTIALS_KEYS`, nobody else can
use it, nor for another list, and nobody reads in it where the party is.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from hub.gateway.sealed_text import opened, sealed
from ocpi.errors import InvalidParameters, NotFound
from ocpi.types import PartyRef

PARAMETER: Final = "hub_page"
"""Named like no parameter that a party's own list could have."""
_PURPOSE = "hub.gateway.page_links {}"
_CURSOR = "hub.gateway.page_links cursor"
_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """A page of a party's list: who asks, whose list it is, and that party's own URL of it.

    The reader is a party at its platform: the same name elsewhere is somebody else.
    """

    reader: PartyRef
    platform_id: int
    owner: PartyRef
    url: str


def next_page(endpoint: str, page: LinkedPage) -> str:
    """Return the hub's URL of a page."""
    content = json.dumps((str(page.reader), page.platform_id, str(page.owner), page.url))
    return f"{endpoint}?{urlencode({PARAMETER: sealed(_PURPOSE.format(endpoint), content)})}"


def read(given: str, *, endpoint: str) -> LinkedPage:
    """Return the page a parameter asks for; `NotFound` when the hub did not give it out lately."""
    purpose, lifetime = _PURPOSE.format(endpoint), int(_LIFETIME.total_seconds())
    try:
        reader, platform_id, owner, url = json.loads(opened(purpose, given, seconds=lifetime))
    except ValueError:
        text = f"{PARAMETER}: the hub gave no such link, or it is too old"
        raise NotFound(f"{text}; start the list again without it") from None
    return LinkedPage(PartyRef.parse(reader), platform_id, PartyRef.parse(owner), url)


def check(page: LinkedPage, reader: PartyRef, platform_id: int, *, to: PartyRef | None) -> None:
    """Refuse a link that was made for somebody else, or to another list (TF-44, A-46)."""
    if (page.reader, page.platform_id) != (reader, platform_id):
        raise NotFound(f"{PARAMETER}: this link was made for another party")
    if page.owner != to:
        text = f"this link is to a list of {page.owner}; OCPI-to differs"
        raise InvalidParameters(f"{PARAMETER}: {text}")


def cursor(position: str) -> str:
    """Close where the next page of the hub's own list starts, and for whom.

    Its numbers count everybody's objects, and platforms.
    """
    return sealed(_CURSOR, position)


def position(cursor: str) -> str:
    """Open a cursor; `InvalidParameters` when the hub gave no such."""
    try:
        return opened(_CURSOR, cursor)
    except ValueError:
        text = "follow the Link of the previous page as it is, or start again without cursor"
        raise InvalidParameters(f"cursor: {text}") from None
