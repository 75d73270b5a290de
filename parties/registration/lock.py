"""A claim of a platform: one credentials exchange at a time, no lock held while a peer is asked.

Spec: 2.2.1 credentials; none for concurrency. The claim is a moment in the platform's row: a
process that dies leaves it to lapse.
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
