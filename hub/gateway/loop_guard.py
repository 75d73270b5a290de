"""A message that comes back to the hub that sent it on: two hubs that each think the other has it.

Spec: 2.2.1 transport and format, message routing through several hubs; A-39. Nothing on the wire
counts hops, so what goes out to another hub is remembered for a while, and refused when a hub
brings it back. Without Redis nothing is remembered: traffic matters more than the guard.
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
_KEY = "hub:loop:{}"


@contextmanager
def guarded(message: Message, destination: Destination) -> Iterator[None]:
    """Refuse what has been here before (`HubError`), and remember what is being passed on.

    What could not be sent is forgotten: the same message may be tried again.
    """
    key = _key(message, destination) if message.is_from_hub or destination.is_behind_hub else ""
    if message.is_from_hub and _remembers(key):
        text = f"this message to {destination.ref} has been here before: it goes round between hubs"
        raise HubError(f"{text}; check at which hub that party is connected")
    if destination.is_behind_hub:
        _remember(key, _SECONDS)
    try:
        yield
    except ReceiverTimeout:
        raise
    except OcpiError:
        if destination.is_behind_hub:
            _remember(key, 0)
        raise


def _remembers(key: str) -> bool:
    with _unguarded():
        return bool(broker.connection().exists(key))
    return False


def _remember(key: str, seconds: int) -> None:
    with _unguarded():
        if seconds:
            broker.connection().set(key, 1, ex=seconds)
        else:
            broker.connection().delete(key)


@contextmanager
def _unguarded() -> Iterator[None]:
    """Go on without the guard when Redis is gone."""
    try:
        yield
    except redis.RedisError as error:
        log.warning("loops between hubs are not noticed: %s", error)


def _key(message: Message, destination: Destination) -> str:
    """Name what is the same each time a message comes round: all but its URL for results."""
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
