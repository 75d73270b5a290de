"""A lock by time: one credentials exchange with a platform at once.

Spec: 2.2.1 credentials; none for concurrency. No lock of the database is held while a peer is
asked: a moment in the platform's row (`handshake_until`) keeps others out until the exchange ends
or, if its process died, until that moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from database import sql
from ocpi.errors import OcpiError
from parties.models import Platform

_CALLS = 3
"""Versions, details and credentials, each bounded by the client's total timeout."""
_MARGIN_SECONDS = 30
"""For what the hub itself does between the calls and after them."""


@contextmanager
def exclusive(platform_id: int, *, busy: OcpiError) -> Iterator[None]:
    """Keep other exchanges with the platform out; raises `busy` if one is under way."""
    until = timezone.now() + timedelta(
        seconds=_CALLS * settings.HUB_REQUEST_TIMEOUT + _MARGIN_SECONDS
    )
    if not Platform.objects.filter(_free(), pk=platform_id).update(handshake_until=until):
        raise busy
    try:
        yield
    finally:
        with sql.best_effort("the end of a credentials exchange"):  # the exchange is stored
            mine = Platform.objects.filter(pk=platform_id, handshake_until=until)
            mine.update(handshake_until=None)


def is_under_way(platform_id: int) -> bool:
    """Return whether an exchange with the platform is open."""
    return not Platform.objects.filter(_free(), pk=platform_id).exists()


def _free() -> Q:
    return Q(handshake_until=None) | Q(handshake_until__lt=timezone.now())
