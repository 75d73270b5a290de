"""The loop guard: refuses what goes round between hubs that each think another has the party.

Spec: 2.2.1 transport and format, message routing through several hubs; A-39. Nothing on the wire
counts hops, so a message to another hub is remembered for a while, and refused when a hub sends it
back. Without Redis nothing is remembered: traffic matters more than the guard.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import redis

from hub import broker
from hub.gateway.message import Message
from hub.gateway.response_url_parameter import RESPONSE_URL
from hub.gateway.routes import Destination
from hub.store import raw_json
from ocpi.errors import HubError, OcpiError, ReceiverTimeout

log = logging.getLogger(__name__)

_SECONDS = 300
"""Longer than a message can be on its way through several hubs (A-39)."""
_KEY = "hub:loop:{}"


@contextmanager
def guarded(message: Message, destination: Destination) -> Iterator[None]:
    """Raise `HubError` for a message that was here before, and remember one that goes to a hub.

    One that could not be sent is forgotten, so that it may be tried again; after a timeout it may
    have arrived, and stays remembered.
    """
    key = _key(message, destination) if message.is_from_hub or destination.is_behind_hub else ""
    if message.is_from_hub and _remembers(key):
        text = f"this message to {destination.ref} has been here before: it goes round between hubs"
        raise HubError(f"{text}; check at which hub that party is connected")
    if destination.is_behind_hub:
        _remember(key)
    try:
        yield
    except ReceiverTimeout:
        raise
    except OcpiError:
        if destination.is_behind_hub:
            _forget(key)
        raise


def _remembers(key: str) -> bool:
    with _unguarded():
        return bool(broker.connection().exists(key))
    return False


def _remember(key: str) -> None:
    with _unguarded():
        broker.connection().set(key, 1, ex=_SECONDS)


def _forget(key: str) -> None:
    with _unguarded():
        broker.connection().delete(key)


@contextmanager
def _unguarded() -> Iterator[None]:
    """Go on without the guard when Redis is gone."""
    try:
        yield
    except redis.RedisError as error:
        log.warning("loops between hubs are not noticed: %s", error)


def _key(message: Message, destination: Destination) -> str:
    """Return a key of all that is the same each time a message comes round.

    Its `response_url` is not: each hub puts one of its own in place of it.
    """
    words = (
        message.message_ids.correlation_id,
        message.method,
        f"{message.module}/{message.interface}/{message.path}",
        str(destination.ref),
        *_without_response_url(message),
    )
    return _KEY.format(blake2b("\n".join(words).encode(), digest_size=16).hexdigest())


def _without_response_url(message: Message) -> tuple[str, str]:
    query, _, _ = message.query.partition(f"{RESPONSE_URL}=")
    if message.body[:1] != b"{":
        return query, message.body.decode()
    members = raw_json.members(message.body)
    members.pop(RESPONSE_URL, None)
    return query, raw_json.joined(members).decode()
