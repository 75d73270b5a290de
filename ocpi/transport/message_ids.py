"""The id of each request, and the one that all requests of an exchange have in common.

Specification: transport_and_format (unique message ids).
"""

import os
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"

LONGEST_ID = 128
"""Characters; one that is longer is replaced by the hub's own."""
# Unique, but no secret: asking the system for the bytes of each id costs more than all else of it.
_random = random.Random()  # noqa: S311 - no secret
os.register_at_fork(after_in_child=_random.seed)
_USABLE = re.compile(f"[ -~]{{1,{LONGEST_ID}}}")


@dataclass(frozen=True, slots=True)
class MessageIds:
    """The id of one request on one hop, and the id of the whole exchange across all hops."""

    request_id: str
    correlation_id: str

    @classmethod
    def new(cls, correlation_id: str = "") -> Self:
        """Begin an exchange of our own, or a request that belongs to another one."""
        return cls(_new_id(), correlation_id or _new_id())

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Self:
        """Take the ids of a request; one that is missing or unusable gets a new value."""
        given = {name.lower(): value.strip() for name, value in headers.items()}
        return cls(_usable(given, REQUEST_ID), _usable(given, CORRELATION_ID))

    def next_hop(self) -> Self:
        """Give the ids for passing the message on: another request of the same exchange."""
        return type(self)(_new_id(), self.correlation_id)

    def as_headers(self) -> dict[str, str]:
        """Spell the headers as the specification does."""
        return {REQUEST_ID: self.request_id, CORRELATION_ID: self.correlation_id}


def _new_id() -> str:
    return str(UUID(int=_random.getrandbits(128), version=4))


def _usable(given: Mapping[str, str], header: str) -> str:
    value = given.get(header.lower(), "")
    return value if _USABLE.fullmatch(value) else _new_id()
