"""The next page of a list that a party serves, as a URL of the hub.

Spec: 2.2.1 transport and format, pagination; TF-42 to TF-44, A-45, A-46. The URL carries the
party's own link, signed for one endpoint of the hub, with whom it was given to and whose list it
is: nothing is stored, it outlives a restart, and nobody else can use it, nor for another list.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from django.core import signing

from ocpi.errors import NotFound
from ocpi.types import PartyRef

PARAMETER: Final = "hub_page"
"""Named like no parameter that a party's own list could have."""
_SALT = "hub.links {}"
_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a party's list: who asks, whose list it is, and that party's own URL of it."""

    reader: PartyRef
    owner: PartyRef
    url: str


def next_page(endpoint: str, page: Page) -> str:
    """Return the hub's URL of a page."""
    told = (str(page.reader), str(page.owner), page.url)
    signed = signing.dumps(told, salt=_SALT.format(endpoint), compress=True)
    return f"{endpoint}?{urlencode({PARAMETER: signed})}"


def read(query: str, *, endpoint: str) -> Page | None:
    """Return the page a query asks for; `NotFound` when the hub did not give it out lately."""
    signed = dict(parse_qsl(query)).get(PARAMETER)
    if signed is None:
        return None
    try:
        reader, owner, url = signing.loads(signed, salt=_SALT.format(endpoint), max_age=_LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        text = f"{PARAMETER}: the hub gave no such link, or it is too old"
        raise NotFound(f"{text}; start the list again without it") from None
    return Page(PartyRef.parse(reader), PartyRef.parse(owner), url)
