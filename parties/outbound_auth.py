"""Authentication of the hub towards a platform.

Spec: 2.2.1 transport and format, Authorization header.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from database import sql
from ocpi.client import Peer
from ocpi.errors import ReceiverNotConnected
from parties import directory, epoch, quirks, tokens
from parties.directory import Question
from parties.epoch import Epoch
from parties.models import Direction
from parties.sql import OUTBOUND_TOKEN, OutboundToken


@dataclass(frozen=True, slots=True)
class _Presented(Question[list[OutboundToken]]):
    """What the hub presents to a platform, sealed: one token or none."""

    platform_id: int

    def ask(self) -> list[OutboundToken]:
        """Ask for it."""
        parameters = {"platform": self.platform_id, "direction": Direction.OUT.value}
        return sql.rows(OUTBOUND_TOKEN, parameters)


def peer_of(platform_id: int, epoch: Epoch | None = None) -> Peer:
    """Return the platform as the client addresses it, with its token; 4003 if there is none.

    What is remembered of the epoch is not asked for again; without one the database is.
    """
    question = _Presented(platform_id)
    found = directory.answer(question, epoch) if epoch else question.ask()
    if not found:
        message = "the platform is not registered"
        raise ReceiverNotConnected(message)
    return _peer(*found[0])


def peers_of(platform_ids: Collection[int]) -> dict[int, Peer]:
    """Return the platforms that are registered, as the client addresses them."""
    present, found = epoch.current(), {}
    for each in platform_ids:
        with suppress(ReceiverNotConnected):
            found[each] = peer_of(each, present)
    return found


@lru_cache(maxsize=1000)
def _peer(sealed: str, quirks_text: str, name: str) -> Peer:
    """Decrypt a token once, since every message to the platform needs it."""
    return Peer(tokens.unseal(sealed), base64=quirks.parsed(quirks_text).base64_out, name=name)
