"""What an answer, or its absence, says of a platform: written down for operators and for others.

Nothing here changes what becomes of the message: what a receiver said stands, also when the hub
cannot remember that it did.
"""

import logging

from hub import circuits, observing
from hub.routing import Destination
from ocpi import client
from ocpi.errors import ReceiverNotConnected
from parties import database, habits, life
from parties.registration import record_failure

log = logging.getLogger(__name__)


def answer(
    destination: Destination, reply: client.Reply, *, about: str, is_single: bool = False
) -> None:
    """Note an answer to a message that is `about` something; one object `is_single`."""
    with database.forgiving(f"what {destination.ref} answered"):
        circuits.note_answer(destination)
        if reply.refuses_token:
            _alert(destination)
            return
        if reply.is_throttled:
            life.throttled(destination.platform_id, reply.retry_after)
        met = observing.of_answer(about, reply, is_single=is_single)
        habits.note(destination.platform_id, met)
        if destination.is_unseen and reply.envelope is not None:
            life.answered(destination.platform_id)


def failure(destination: Destination, error: client.PeerError, *, about: str) -> None:
    """Note why there is no answer."""
    log.warning("%s could not be asked: %s", destination.ref, error)
    with database.forgiving(f"why {destination.ref} gave no answer"):
        habits.note(destination.platform_id, observing.of_failure(about, error))
        if isinstance(error, client.PeerTimeout | client.PeerUnreachable):
            circuits.note_silence(destination)


def token_refused(destination: Destination) -> ReceiverNotConnected:
    """Return the error: the requester's token is not what was refused."""
    text = f"{destination.ref} refuses the hub's credentials; the two operators must mend them"
    return ReceiverNotConnected(text)


def _alert(destination: Destination) -> None:
    """Flag the connection for the operator."""
    error = token_refused(destination)
    log.error("connection in trouble: %s", error)
    record_failure(destination.platform_id, error)
    life.doubt(destination.platform_id)
