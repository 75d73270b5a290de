"""The next page of a list that a party serves, as a URL of the hub.

Spec: 2.2.1 transport and format, pagination; TF-42 to TF-44, A-45, A-46. The URL carries the
party's own link, its reader and its owner, sealed for one list of the hub. So nothing is stored,
the link outlives a restart and a rotation of `CREDENTIALS_KEYS`, only its reader can use it, only
for that list, and it does not reveal the party's address.
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
"""A name that no parameter of a party's own list is likely to have."""
_PURPOSE = "hub.gateway.page_links {}"
_CURSOR = "hub.gateway.page_links cursor"
_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """A page of a party's list: its reader, the list's owner, and the owner's own URL of it.

    The reader is a party at a platform: the same party id at another platform is another reader.
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
    """Return the page in a sealed parameter; `NotFound` when it is no link of the last day."""
    purpose, lifetime = _PURPOSE.format(endpoint), int(_LIFETIME.total_seconds())
    try:
        reader, platform_id, owner, url = json.loads(opened(purpose, given, seconds=lifetime))
    except ValueError:
        text = f"{PARAMETER}: the hub gave no such link, or it is too old"
        raise NotFound(f"{text}; start the list again without it") from None
    return LinkedPage(PartyRef.parse(reader), platform_id, PartyRef.parse(owner), url)


def check(page: LinkedPage, reader: PartyRef, platform_id: int, *, to: PartyRef | None) -> None:
    """Refuse a link that was made for another reader, or to another owner's list (TF-44, A-46)."""
    if (page.reader, page.platform_id) != (reader, platform_id):
        raise NotFound(f"{PARAMETER}: this link was made for another party")
    if page.owner != to:
        text = f"this link is to a list of {page.owner}; OCPI-to differs"
        raise InvalidParameters(f"{PARAMETER}: {text}")


def seal_cursor(position: str) -> str:
    """Seal the position at which the hub's own list goes on.

    In clear, its numbers would betray how many objects and platforms there are.
    """
    return sealed(_CURSOR, position)


def open_cursor(cursor: str) -> str:
    """Return the position in a cursor; `InvalidParameters` when the hub did not seal it."""
    try:
        return opened(_CURSOR, cursor)
    except ValueError:
        text = "follow the Link of the previous page as it is, or start again without cursor"
        raise InvalidParameters(f"cursor: {text}") from None
