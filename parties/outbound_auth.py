"""Authentication of the hub towards a platform.

Spec: 2.2.1 transport and format, Authorization header.
"""

from functools import lru_cache

from database import sql
from ocpi.client import Peer
from ocpi.errors import ReceiverNotConnected
from parties import quirks, tokens
from parties.models import Direction
from parties.sql import OUTBOUND_TOKEN


def peer_of(platform_id: int) -> Peer:
    """Return the platform as the client addresses it, with its token; 4003 if there is none."""
    parameters = {"platform": platform_id, "direction": Direction.OUT.value}
    found = sql.row(OUTBOUND_TOKEN, parameters)
    if found is None:
        message = "the platform is not registered"
        raise ReceiverNotConnected(message)
    return _peer(*found)


@lru_cache(maxsize=1000)
def _peer(sealed: str, quirks_text: str, name: str) -> Peer:
    """Decrypt a token once, since every message to the platform needs it."""
    return Peer(tokens.unseal(sealed), base64=quirks.parsed(quirks_text).base64_out, name=name)
