"""The circuit breaker: after some messages without an answer, a platform gets none for a while.

docs/architecture.md#a-message-comes-in. Waiting for a platform that hangs holds a thread for
nothing; once the circuit closes again, the next message tries it. The state is in the platform's
row, where all processes and the operators see it.
"""

from datetime import timedelta
from math import ceil

from django.db.models import Case, F, When
from django.utils import timezone

from hub.gateway.routes import Destination
from parties import connection_health, directory
from parties.models import Platform

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0


def note_silence(destination: Destination) -> None:
    """Count a message without an answer; `FAILURES_TO_OPEN` in a row open the circuit.

    `doubt` has a still alive check find out whether the platform is there at all.
    """
    until = timezone.now() + timedelta(seconds=OPEN_SECONDS)
    connection_health.doubt(destination.platform_id)
    Platform.objects.filter(pk=destination.platform_id).update(
        unanswered=F("unanswered") + 1,
        circuit_until=Case(
            When(unanswered__gte=FAILURES_TO_OPEN - 1, then=until), default=F("circuit_until")
        ),
    )
    directory.health_changed(destination.platform_id)


def note_answer(destination: Destination) -> None:
    """Close the circuit of a platform that answers; no query when it was not counted silent."""
    if destination.unanswered:
        Platform.objects.filter(pk=destination.platform_id).update(unanswered=0, circuit_until=None)
        directory.health_changed(destination.platform_id)
    if destination.unanswered >= FAILURES_TO_OPEN:
        connection_health.heard_again(destination.platform_id)


def seconds_open(platform: Platform) -> int:
    """Return for how many seconds the circuit of a platform stays open; 0 when it is closed."""
    if platform.circuit_until is None:
        return 0
    return max(0, ceil((platform.circuit_until - timezone.now()).total_seconds()))
