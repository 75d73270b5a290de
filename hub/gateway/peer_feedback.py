"""What an answer, or its absence, says of a platform: written down for operators and for others.

Nothing here changes what becomes of the message: what a receiver said stands, also when the hub
cannot remember that it did.
"""

import logging

from database import sql
from hub.gateway import circuit_breaker, observations
from hub.gateway.routing import Destination
from ocpi import client
from ocpi.errors import ReceiverNotConnected
from parties import connection_health, observed_habits
from parties.registration.inbound import record_failure

log = logging.getLogger(__name__)


def answer(
    destination: Destination, reply: client.Reply, *, about: str, is_single: bool = False
) -> None:
    """Note an answer to a message that is `about` something; one object `is_single`."""
    with sql.forgiving(f"what {destination.ref} answered"):
        circuit_breaker.note_answer(destination)
        if reply.refuses_token:
            _alert(destination)
            return
        if reply.is_throttled:
            connection_health.throttled(destination.platform_id, reply.retry_after)
        met = observations.of_answer(about, reply, is_single=is_single)
        observed_habits.note(destination.platform_id, met)
        if destination.is_unseen and reply.envelope is not None:
            connection_health.answered(destination.platform_id)


def failure(destination: Destination, error: client.PeerError, *, about: str) -> None:
    """Note why there is no answer."""
    log.warning("%s could not be asked: %s", destination.ref, error)
    with sql.forgiving(f"why {destination.ref} gave no answer"):
        observed_habits.note(destination.platform_id, observations.of_failure(about, error))
        if isinstance(error, client.PeerTimeout | client.PeerUnreachable):
            circuit_breaker.note_silence(destination)


def token_refused(destination: Destination) -> ReceiverNotConnected:
    """Return the error: the requester's token is not what was refused."""
    text = f"{destination.ref} refuses the hub's credentials; the two operators must mend them"
    return ReceiverNotConnected(text)


def _alert(destination: Destination) -> None:
    """Flag the connection for the operator."""
    error = token_refused(destination)
    log.error("connection in trouble: %s", error)
    record_failure(destination.platform_id, error)
    connection_health.doubt(destination.platform_id)
