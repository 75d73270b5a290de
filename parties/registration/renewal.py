"""Renewal of tokens when they are old, and the announcement of a new versions URL.

Spec: 2.2.1 credentials (updating; a renewal at least once a month is advised). A renewal is the PUT
of the hub's credentials, which carry its versions URL: the same message announces a new one.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone

from database import sql
from ocpi.errors import OcpiError
from operators.actor import Actor, acting, actor
from parties import hub_identity
from parties.connection_status import REGISTERED, ConnectionStatus
from parties.models import Credentials, Direction, Platform
from parties.registration.outbound import renew_tokens
from parties.tokens import Undecryptable

log = logging.getLogger(__name__)

_RETRY_AFTER = timedelta(days=1)
_SPLAY = 0.2
"""A platform's tokens are renewed up to this part of HUB_RENEWAL_DAYS earlier."""
_KNUTH = 2654435761
"""The factor of Knuth's multiplicative hash: it spreads ids that follow one another."""
_THREADS = 8


def due() -> list[int]:
    """Return the connected platforms whose tokens are to be renewed now."""
    tokens = Credentials.objects.filter(
        direction=Direction.OUT.value, platform__status=ConnectionStatus.CONNECTED.value
    ).select_related("platform")
    since = timezone.now() - _RETRY_AFTER
    return [
        token.platform_id
        for token in tokens
        if token.platform.quirks.renew
        and token.valid_from + _lifetime(token.platform_id) <= timezone.now()
        and (token.platform.renewal_tried_at is None or token.platform.renewal_tried_at <= since)
    ]


def renew(platform_id: int) -> None:
    """Renew both tokens of a platform that is due; what fails is tried again after a day."""
    platform = Platform.objects.filter(pk=platform_id).first()
    if platform is None or platform_id not in due():
        return
    Platform.objects.filter(pk=platform_id).update(renewal_tried_at=timezone.now())
    try:
        renew_tokens(platform)
    except (OcpiError, Undecryptable) as error:
        log.warning("the tokens of %s were not renewed: %s", platform, error)


@dataclass(frozen=True, slots=True)
class Announced:
    """How a platform took the hub's new URL: well, if there is no error."""

    platform: str
    error: str = ""


def announce_url(*, to_all: bool = False) -> Iterator[Announced]:
    """PUT the hub's credentials to every platform that knows another versions URL, or to all."""
    connected = Platform.objects.filter(status__in=[status.value for status in REGISTERED])
    if not to_all:
        connected = connected.exclude(announced_url=hub_identity.versions_url())
    platforms = list(connected)
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(partial(_announce, by=actor()), platforms)


def _announce(platform: Platform, *, by: Actor | None) -> Announced:
    try:
        with acting(by):
            renew_tokens(platform)
    except (OcpiError, Undecryptable) as error:
        return Announced(platform.name, str(error))
    finally:
        sql.release()
    return Announced(platform.name)


def _lifetime(platform_id: int) -> timedelta:
    """Return after how long a platform's tokens are renewed: not those of all on one day."""
    share = (platform_id * _KNUTH) % 2**32 / 2**32
    return timedelta(days=settings.HUB_RENEWAL_DAYS) * (1 - _SPLAY * share)
