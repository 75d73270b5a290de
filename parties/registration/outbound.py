"""Registration by the hub: POST, PUT and DELETE at a platform's credentials endpoint.

Spec: 2.2.1 credentials (Sender side); A-78. The token that the hub sends is good before it leaves,
for the platform may use it before its own answer arrives; the tokens before it stay good until that
answer is stored. What is issued but not confirmed yet is `provisional`.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Literal

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from database import sql
from ocpi.client import Peer, Reply
from ocpi.errors import (
    InvalidParameters,
    NoMatchingEndpoints,
    OcpiError,
    ServerError,
    UnsupportedVersion,
    UnusableApi,
    error_for,
)
from ocpi.modules import Version
from ocpi.status_codes import StatusCode
from ocpi.types import InterfaceRole, ModuleID, Role
from ocpi.versions import VERSIONS, latest_mutual
from parties import hub_identity, tokens
from parties.audit import audited
from parties.models import Credentials, Endpoint, Platform, TokenKind
from parties.models.credentials import CredentialsQuerySet
from parties.outbound_auth import peer_of
from parties.registration import credentials_object, endpoints
from parties.registration.credentials_object import Offer
from parties.registration.discovery import (
    Discovered,
    ask,
    data_of,
    discover,
    pick_only,
    sent_as,
    version_list,
)
from parties.registration.inbound import connect, mark_registered_anew, record_failure
from parties.registration.lock import exclusive
from parties.signals import announce, platform_changed

log = logging.getLogger(__name__)

CREDENTIALS = (ModuleID.CREDENTIALS, InterfaceRole.SENDER)
_LONGEST_REASON = 200
"""Characters of a refusal that operators see."""
_UNCONFIRMED_FOR = timedelta(minutes=10)
"""How long a token sent to register is good if the process dies before it knows the answer."""
_UNANSWERED_FOR = timedelta(days=1)
"""How long a token sent to renew is good if no answer arrives: the platform may have taken it."""


class AlreadyRegistered(ServerError):
    """One side holds a registration of the other already, or an exchange is under way."""


class EndedMeanwhile(UnusableApi):
    """Somebody ended the connection while the hub waited for the platform; it remains ended."""


class Unanswered(UnusableApi):
    """The credentials were sent, and the platform may have accepted them or not."""


def register(
    platform: Platform, *, versions_url: str, token_a: str, method: Literal["POST", "PUT"] = "POST"
) -> None:
    """Register the hub with a platform that gave it a token A and its versions URL.

    PUT is for a platform that still holds a registration the hub has lost: the token is then the
    one that is good there.
    """
    if platform.is_registered:
        message = f"{platform.name} is registered already: rotate_credentials renews its tokens"
        raise AlreadyRegistered(message)
    if Credentials.objects.filter(digest=tokens.digest(token_a)).exists():
        message = "this token was made by this hub: take the token A that the platform gave you"
        raise InvalidParameters(message)
    with (
        _audited(platform, "registered with"),
        exclusive(platform.pk, busy=_already_under_way(platform)),
    ):
        roles = frozenset(Role(row.role) for row in platform.allowed_parties.all())
        peer, by_hand = _peer(platform, token_a), endpoints.by_hand(platform.pk)
        sql.release()
        found = discover(versions_url, peer=peer, pick=_pick_latest, roles=roles, by_hand=by_hand)
        _send_first_credentials(platform, found, peer, method=method)
    log.info("registered with %s by %s", platform.name, found.version.number)


def renew_tokens(platform: Platform) -> None:
    """Renew the tokens of both directions and fetch the endpoints again, in the same version."""
    if not platform.is_registered:
        message = (
            f"{platform.name} is {platform.status}: only a registered platform has tokens to renew"
        )
        raise UnusableApi(message)
    with _audited(platform, "rotated"), exclusive(platform.pk, busy=_already_under_way(platform)):
        roles = frozenset(Role(row.role) for row in platform.parties.filter(is_active=True))
        peer, by_hand = peer_of(platform.pk), endpoints.by_hand(platform.pk)
        sql.release()
        pick = pick_only(VERSIONS[platform.version])
        found = discover(platform.versions_url, peer=peer, pick=pick, roles=roles, by_hand=by_hand)
        _send_renewed_credentials(platform, found, peer)
    log.info("renewed the tokens of %s", platform.name)


def unregister(platform: Platform) -> None:
    """DELETE the hub's credentials at a platform; nothing depends on its answer."""
    endpoint = Endpoint.objects.filter(platform=platform, module=ModuleID.CREDENTIALS).first()
    if endpoint is not None:
        with suppress(OcpiError):
            peer = peer_of(platform.pk)
            sql.release()
            ask("DELETE", endpoint.url, peer=peer)


@contextmanager
def _audited(platform: Platform, action: str) -> Iterator[None]:
    try:
        with audited(action, platform.name):
            yield
    except OcpiError as error:
        record_failure(platform.pk, error)
        log.warning("credentials exchange with %s failed: %s", platform.name, error)
        raise


def _send_first_credentials(
    platform: Platform, found: Discovered, peer: Peer, *, method: str
) -> None:
    """Send the hub's credentials to register; after any failure the new token is deleted again."""
    url = _credentials_url(found)
    issued, token = Credentials.objects.issue(
        platform, provisional=True, valid_until=timezone.now() + _UNCONFIRMED_FOR
    )
    sql.release()
    try:
        offer = _exchange_credentials(method, url, found, peer=peer, token=token)
        with _withdrawn_unless_stored(platform, offer, url), transaction.atomic():
            credentials_object.check(offer, platform_id=platform.pk)
            _store_offer(platform, issued, found, offer)
            mark_registered_anew(platform)
    except BaseException:
        Credentials.objects.filter(pk=issued.pk, provisional=True).delete()
        raise


def _send_renewed_credentials(platform: Platform, found: Discovered, peer: Peer) -> None:
    """Send the hub's credentials with a new token.

    Unless the platform clearly refused, it may have stored the new token and forgotten the old one:
    the new one then remains good, or the platform could never call again.
    """
    url = _credentials_url(found)
    issued, token = Credentials.objects.issue(
        platform, provisional=True, valid_until=timezone.now() + _UNANSWERED_FOR
    )
    sql.release()
    try:
        offer = _exchange_credentials("PUT", url, found, peer=peer, token=token)
    except Unanswered:
        raise
    except BaseException:
        Credentials.objects.filter(pk=issued.pk, provisional=True).delete()
        raise
    # Whatever else fails here, the registration goes on with the former tokens.
    with _withdrawn_unless_stored(platform, offer, url, when=EndedMeanwhile), transaction.atomic():
        _store_offer(platform, issued, found, offer)
        announce(platform_changed, Platform, platform_id=platform.pk)


def _store_offer(platform: Platform, issued: Credentials, found: Discovered, offer: Offer) -> None:
    """Store the platform's token and roles, confirm the hub's token, end those before it."""
    locked = Platform.objects.select_for_update(no_key=True).filter(pk=platform.pk).first()
    ours = Credentials.objects.inbound(platform).filter(pk=issued.pk)
    if locked is None or not ours.update(provisional=False, valid_until=None):
        message = f"the connection with {platform.name} was ended meanwhile"
        raise EndedMeanwhile(message)
    roles = credentials_object.permitted(offer, platform_id=platform.pk)
    connect(locked, found, token=offer.token, roles=roles)
    _end_former_tokens(Credentials.objects.inbound(platform).exclude(pk=issued.pk))
    platform.refresh_from_db()


def _end_former_tokens(former: CredentialsQuerySet) -> None:
    """Revoke unused ones (a token A, a provisional one), let others expire after the grace."""
    former.filter(Q(kind=TokenKind.A) | Q(provisional=True, first_used_at=None)).revoke()
    former.end_within(settings.HUB_ROTATION_GRACE_SECONDS)


def _exchange_credentials(
    method: str, url: str, found: Discovered, *, peer: Peer, token: str
) -> Offer:
    """Send credentials, return the platform's; `Unanswered` if it may have accepted ours."""
    what = f"{method} credentials"
    try:
        body = hub_identity.credentials(token)
        reply = ask(method, url, peer=peer, body=body, correlation_id=found.correlation_id)
    except UnusableApi as error:
        raise Unanswered(str(error)) from error
    if not reply.ok:
        raise _refusal(reply, what, peer=peer, secrets=(token, peer.token))
    try:
        data_of(reply, what)
        return Offer.read(_credentials_text(reply), found.version)
    except OcpiError as error:
        message = f"{what}: accepted, but the credentials in the answer cannot be used: {error}"
        raise Unanswered(message) from error


def _credentials_text(reply: Reply) -> bytes:
    """Return the text of a credentials object, unwrapped if it was sent as a list of one."""
    data = reply.envelope.data if reply.envelope and reply.envelope.data else b"null"
    if data.lstrip().startswith(b"["):
        first: list[msgspec.Raw] = msgspec.json.decode(data, type=list[msgspec.Raw])
        return bytes(first[0]) if len(first) == 1 else data
    return data


def _refusal(reply: Reply, what: str, *, peer: Peer, secrets: tuple[str, ...]) -> OcpiError:
    """Turn a platform's refusal into a sentence that says what to do next."""
    hint = f"; {sent_as(peer)}" if _may_be_form(reply, what) else ""
    if reply.http_status == HTTPStatus.METHOD_NOT_ALLOWED:
        message = (
            f"{what}: HTTP 405, the platform holds another state of this registration; ask its"
            " operator to reset the hub there and for a new token A, or use register_platform --put"
            " with the token that is good there"
        )
        return AlreadyRegistered(message)
    if reply.status_code is not None and reply.http_status < HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = f"{what}: refused with {reply.status_code}: {_reason_given(reply, secrets)}{hint}"
        return error_for(reply.status_code, reason)
    if HTTPStatus.BAD_REQUEST <= reply.http_status < HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = f": {_reason_given(reply, secrets)}" if reply.words else ""
        return UnusableApi(f"{what}: refused with HTTP {reply.http_status}{reason}{hint}")
    return Unanswered(f"{what}: HTTP {reply.http_status}, and nothing says whether it was taken")


def _may_be_form(reply: Reply, what: str) -> bool:
    """Whether a first registration may have been refused for the form of the token (A-02)."""
    is_invalid = reply.status_code == StatusCode.INVALID_PARAMETERS
    return what.startswith("POST") and (reply.refuses_token or is_invalid)


def _reason_given(reply: Reply, secrets: tuple[str, ...]) -> str:
    """Return the reason a peer gives, without the tokens: some peers repeat them in it."""
    reason = reply.words or "no reason given"
    for secret in secrets:
        reason = reason.replace(secret, "[token]")
    return reason[:_LONGEST_REASON]


@contextmanager
def _withdrawn_unless_stored(
    platform: Platform, offer: Offer, url: str, *, when: type[OcpiError] = OcpiError
) -> Iterator[None]:
    """If the offer cannot be stored here, DELETE the registration there, by the token in it."""
    try:
        yield
    except when:
        sql.release()
        with suppress(OcpiError):
            ask("DELETE", url, peer=_peer(platform, offer.token))
        raise


def _peer(platform: Platform, token: str) -> Peer:
    return Peer(token, base64=platform.quirks.base64_out, name=platform.name)


def _pick_latest(numbers: Iterable[str]) -> Version:
    offered = sorted(numbers)
    version = latest_mutual(offered)
    if version is None:
        theirs, ours = version_list(offered), ", ".join(VERSIONS)
        message = f"no common version: the platform offers {theirs}, the hub {ours}"
        raise UnsupportedVersion(message)
    return version


def _credentials_url(found: Discovered) -> str:
    try:
        return found.endpoints[CREDENTIALS]
    except KeyError:
        message = "the platform's version details list no credentials endpoint"
        raise NoMatchingEndpoints(message) from None


def _already_under_way(platform: Platform) -> OcpiError:
    return AlreadyRegistered(f"another credentials exchange with {platform.name} is under way")
