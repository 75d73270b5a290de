"""The next page of a list that a party serves, as a URL of the hub.

Spec: 2.2.1 transport and format, pagination; TF-42 to TF-44, A-45, A-46. The URL carries the
party's own link, sealed for one endpoint of the hub, with whom it was given to and whose list it
is: nothing is stored, it outlives a restart and a rotation of `CREDENTIALS_KEYS`, nobody else can
use it, nor for another list, and nobody reads in it where the party is.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlencode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from ocpi.errors import NotFound
from ocpi.types import PartyRef

PARAMETER: Final = "hub_page"
"""Named like no parameter that a party's own list could have."""
_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a party's list: who asks, whose list it is, and that party's own URL of it.

    The reader is a party at its platform: the same name elsewhere is somebody else.
    """

    reader: PartyRef
    platform_id: int
    owner: PartyRef
    url: str


def next_page(endpoint: str, page: Page) -> str:
    """Return the hub's URL of a page."""
    # Not compressed: beside what a reader chose itself, the length would tell of the rest.
    told = json.dumps((str(page.reader), page.platform_id, str(page.owner), page.url)).encode()
    sealed = _seal(endpoint, tuple(settings.CREDENTIALS_KEYS)).encrypt(told).decode()
    return f"{endpoint}?{urlencode({PARAMETER: sealed})}"


def read(query: str, *, endpoint: str) -> Page | None:
    """Return the page a query asks for; `NotFound` when the hub did not give it out lately."""
    sealed = dict(parse_qsl(query)).get(PARAMETER)
    if sealed is None:
        return None
    seal = _seal(endpoint, tuple(settings.CREDENTIALS_KEYS))
    try:
        told = seal.decrypt(sealed.encode(), ttl=int(_LIFETIME.total_seconds()))
        reader, platform_id, owner, url = json.loads(told)
    except (InvalidToken, ValueError):
        text = f"{PARAMETER}: the hub gave no such link, or it is too old"
        raise NotFound(f"{text}; start the list again without it") from None
    return Page(PartyRef.parse(reader), platform_id, PartyRef.parse(owner), url)


@lru_cache(maxsize=128)
def _seal(endpoint: str, keys: tuple[str, ...]) -> MultiFernet:
    """Return the seal of one endpoint's links: the newest key closes, any of them opens."""
    purpose = f"hub.links {endpoint}".encode()
    return MultiFernet([Fernet(_derived(key, purpose)) for key in keys])


def _derived(key: str, purpose: bytes) -> bytes:
    secret = HKDF(SHA256(), length=32, salt=None, info=purpose).derive(urlsafe_b64decode(key))
    return urlsafe_b64encode(secret)
