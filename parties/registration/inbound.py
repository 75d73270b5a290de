"""Registration by a platform: POST, PUT and DELETE at the hub's credentials endpoint.

Spec: 2.2.1 credentials; A-13, A-31, A-78, A-79. Everything is checked and fetched first; then one
transaction changes everything, or nothing changes and the token presented stays good. A platform
that did not get the answer may ask again with the same token: the token issued in vain is revoked
and another takes its place, until one is used.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from database import sql
from ocpi.client import Peer
from ocpi.errors import InvalidParameters, MethodNotAllowed, OcpiError, Unauthenticated
from ocpi.modules import Version
from ocpi.types import one_line
from parties import hub_identity
from parties.caller import Caller
from parties.connection_health import LONGEST_ERROR
from parties.connection_status import REGISTERED, ConnectionStatus
from parties.models import Credentials, Platform, TokenKind
from parties.registration import credentials_object, endpoints
from parties.registration.credentials_object import Offer
from parties.registration.discovery import Discovered, Interface, discover, pick_only
from parties.registration.lock import exclusive
from parties.signals import announce, platform_changed, platform_registered, platform_removed

log = logging.getLogger(__name__)

# Columns of Platform: what an exchange resets, and what it learns.
_TROUBLE = ("failures", "unreachable", "next_attempt_at", "alarm", "alarm_at")
_LEARNT = ("version", "versions_url", "announced_url", "last_seen_at", "last_error")
UNREGISTERED_METHODS = ("GET", "POST")
REGISTERED_METHODS = ("GET", "PUT", "DELETE")


def register(caller: Caller, *, version: Version, body: bytes, correlation_id: str = "") -> bytes:
    """Answer POST: connect back, then trade token A for the final tokens."""
    registered = caller.status in REGISTERED and not caller.is_repeating
    if caller.token_kind != TokenKind.A or registered:
        raise _registered_already()
    complete = partial(_complete_registration, caller)
    discovered = partial(_discovered, caller, version, correlation_id)
    token = _exchange(caller, partial(Offer.read, body, version), discovered, complete)
    log.info("%s registered with %s", caller.name, version.number)
    return hub_identity.credentials(token)


def update(caller: Caller, *, version: Version, body: bytes, correlation_id: str = "") -> bytes:
    """Answer PUT: fetch everything again, store it, renew both tokens."""
    _require_registered(caller)
    complete = partial(_complete_update, caller)
    discovered = partial(_discovered, caller, version, correlation_id)
    token = _exchange(caller, partial(Offer.read, body, version), discovered, complete)
    log.info("%s updated its credentials for %s", caller.name, version.number)
    return hub_identity.credentials(token)


def unregister(caller: Caller) -> None:
    """Answer DELETE: end the connection in both directions."""
    _require_registered(caller)
    disconnect(Platform.objects.get(pk=caller.platform_id), status=ConnectionStatus.SUSPENDED)
    log.info("%s unregistered", caller.name)


def allowed_methods(caller: Caller) -> tuple[str, ...]:
    """Return what this caller may do at the credentials endpoint."""
    return REGISTERED_METHODS if _is_registered(caller) else UNREGISTERED_METHODS


@transaction.atomic
def disconnect(platform: Platform, *, status: ConnectionStatus) -> None:
    """End the credentials of both directions and stop sending; the platform's objects remain.

    SUSPENDED when the platform or the operator ended it, PLANNED when it is to register anew.
    """
    Credentials.objects.inbound(platform).revoke()
    Credentials.objects.outbound(platform).delete()
    endpoints.forget_advertised(platform)
    platform.handshake_until = platform.next_attempt_at = None
    platform.failures = platform.unreachable = 0
    platform.alarm, platform.alarm_at = "", None
    platform.save(update_fields=[*_TROUBLE, "handshake_until"])
    platform.move_to(status)
    announce(platform_removed, Platform, platform_id=platform.pk)


def connect(
    platform: Platform,
    found: Discovered,
    *,
    token: str,
    roles: tuple[credentials_object.ClaimedRole, ...],
) -> None:
    """Store the result of a successful exchange; called inside a transaction."""
    try:
        credentials_object.apply(roles, platform)
    except IntegrityError as error:
        message = "another platform registered one of these parties at the same moment"
        raise InvalidParameters(message) from error
    endpoints.replace_advertised(platform, found.endpoints)
    Credentials.objects.keep(platform, token)
    platform.version, platform.versions_url = found.version.number, found.versions_url
    platform.failures = platform.unreachable = 0
    platform.next_attempt_at = platform.alarm_at = None
    platform.last_error = platform.alarm = ""
    platform.last_seen_at = timezone.now()
    platform.announced_url = hub_identity.versions_url()
    platform.save(update_fields=[*_TROUBLE, *_LEARNT])
    platform.move_to(ConnectionStatus.CONNECTED, registering=True)


def record_failure(platform_id: int, error: OcpiError) -> None:
    """Note why an exchange failed, where the operator looks for it."""
    Platform.objects.filter(pk=platform_id).update(
        last_error=one_line(str(error), longest=LONGEST_ERROR), last_error_at=timezone.now()
    )


def _exchange(
    caller: Caller,
    read: Callable[[], Offer],
    discovered: Callable[[Offer, Mapping[Interface, str]], Discovered],
    complete: Callable[[Platform], str],
) -> str:
    """Read the offer, call its sender back, store both; return the token the platform is to use."""
    try:
        offer = read()
        credentials_object.check(offer, platform_id=caller.platform_id)
        with exclusive(caller.platform_id, busy=_busy(caller)):
            _require_token(caller)
            by_hand = endpoints.by_hand(caller.platform_id)
            sql.release()
            return _store(caller, offer, discovered(offer, by_hand), complete)
    except (MethodNotAllowed, Unauthenticated):
        raise
    except OcpiError as error:
        record_failure(caller.platform_id, error)
        log.warning("credentials exchange with %s failed: %s", caller.name, error)
        raise


def _discovered(
    caller: Caller,
    version: Version,
    correlation_id: str,
    offer: Offer,
    by_hand: Mapping[Interface, str],
) -> Discovered:
    peer = Peer(offer.token, base64=caller.quirks.base64_out, name=caller.name)
    return discover(
        offer.url,
        peer=peer,
        pick=pick_only(version),
        roles=offer.distinct_roles,
        by_hand=by_hand,
        correlation_id=correlation_id,
    )


def _store(
    caller: Caller, offer: Offer, found: Discovered, complete: Callable[[Platform], str]
) -> str:
    with transaction.atomic():
        platform = (
            Platform.objects.select_for_update(no_key=True).filter(pk=caller.platform_id).first()
        )
        _require_token(caller)
        if platform is None or _is_registered_meanwhile(caller, platform):
            raise _registered_already()
        credentials_object.check(offer, platform_id=platform.pk)
        connect(platform, found, token=offer.token, roles=offer.roles)
        return complete(platform)


def mark_registered_anew(platform: Platform) -> None:
    """Have all objects sent to and read from the platform anew; called inside a transaction."""
    Platform.objects.filter(pk=platform.pk).update(registered_at=Now())
    announce(platform_registered, Platform, platform_id=platform.pk)


def _is_registered_meanwhile(caller: Caller, platform: Platform) -> bool:
    by_token_a = caller.token_kind == TokenKind.A and not caller.is_repeating
    return by_token_a and platform.is_registered


def _complete_registration(caller: Caller, platform: Platform) -> str:
    """End token A, or what was issued in vain, and issue the token the specification calls C."""
    Credentials.objects.inbound(platform).revoke()
    mark_registered_anew(platform)
    return Credentials.objects.issue(platform, replaces=caller.credentials_id)[1]


def _complete_update(caller: Caller, platform: Platform) -> str:
    """Issue a new token; former ones remain good until it is used or their grace is over."""
    Credentials.objects.unconfirmed(caller.credentials_id).revoke()
    Credentials.objects.inbound(platform).end_within(settings.HUB_ROTATION_GRACE_SECONDS)
    announce(platform_changed, Platform, platform_id=platform.pk)
    return Credentials.objects.issue(platform, replaces=caller.credentials_id)[1]


@transaction.atomic
def _require_token(caller: Caller) -> None:
    """Refuse if the presented token was ended, or its successor used, since it was checked."""
    good = Credentials.objects.filter(pk=caller.credentials_id, revoked_at=None)
    if caller.is_repeating:
        good = Credentials.objects.unconfirmed(caller.credentials_id)
    if good.select_for_update(no_key=True).first() is not None:
        return
    if caller.token_kind == TokenKind.A:
        raise _registered_already()
    message = "this token was replaced or withdrawn"
    raise Unauthenticated(message)


def _require_registered(caller: Caller) -> None:
    if not _is_registered(caller):
        message = "this platform is not registered yet: POST its credentials first"
        raise MethodNotAllowed(message, allowed=UNREGISTERED_METHODS)


def _is_registered(caller: Caller) -> bool:
    return caller.token_kind != TokenKind.A and caller.status in REGISTERED


def _registered_already() -> OcpiError:
    message = "this platform is registered already: PUT changes its credentials"
    return MethodNotAllowed(message, allowed=REGISTERED_METHODS)


def _busy(caller: Caller) -> OcpiError:
    message = "another credentials exchange with this platform is under way"
    return MethodNotAllowed(message, allowed=allowed_methods(caller))
