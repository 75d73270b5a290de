"""What an answer, or its absence, says of a platform: written down for operators and for others.

Spec: none; architecture chapter 5. Nothing here changes what becomes of the message: what a
receiver said stands, also when the hub cannot remember that it did.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from hub import circuits, observing
from hub.routing import Destination
from ocpi import client
from ocpi.errors import ReceiverNotConnected
from parties import database, habits, life
from parties.models import Platform
from parties.registration import record_failure

log = logging.getLogger(__name__)

REFUSED_OUR_TOKEN = frozenset({401, 403})
TOO_MANY = 429
_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 300.0


def answer(
    destination: Destination, reply: client.Reply, *, about: str, is_single: bool = False
) -> None:
    """Note an answer to a message that is `about` something; one object `is_single`."""
    with database.forgiving(f"what {destination.ref} answered"):
        circuits.note_answer(destination)
        if reply.http_status in REFUSED_OUR_TOKEN:
            _alert(destination)
            return
        if reply.http_status == TOO_MANY:
            _leave_alone(destination.platform_id, reply.retry_after)
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


def _leave_alone(platform_id: int, retry_after: float | None) -> None:
    """Send nothing to a platform that throttles for as long as it says, within reason."""
    seconds = _PAUSE_SECONDS if retry_after is None else retry_after
    until = timezone.now() + timedelta(seconds=min(seconds, _LONGEST_PAUSE_SECONDS))
    Platform.objects.filter(pk=platform_id).update(next_attempt_at=until)
