"""Authentication: from a credentials token to the platform that holds it, asked once an epoch.

Spec: 2.2.1 transport and format, Authorization header; credentials (token A); A-02, A-03, A-78.
Most requests write nothing. The first use of a token, a platform that is back, and one that was not
noted as seen for half a minute are each written by one conditional UPDATE.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Case, F, When
from django.utils import timezone

from database import sql
from ocpi.client import ITSELF, shared
from ocpi.errors import Unauthenticated, UnusableApi
from ocpi.transport.authorization import TokenForm, candidates
from ocpi.types import PartyRef, Role
from operators import client_ip
from parties import connection_health, rate_limits, tokens
from parties.caller import Caller, CallerParty
from parties.connection_status import REGISTERED, ConnectionStatus
from parties.directory import Question, memory
from parties.epoch import Epoch
from parties.models import Credentials, TokenKind
from parties.quirks import parsed
from parties.sql import PRESENTED_TOKEN, PresentedToken

log = logging.getLogger(__name__)

Readings = Sequence[tuple[str, TokenForm]]
"""What a header can be read as: the token, and in which form it came."""
Found = tuple["KnownToken", str, TokenForm]

_POST_AGAIN = (
    "this token A was used: use the final token; if the answer with it did not arrive, POST your"
    " credentials again"
)


class KnownToken(PresentedToken):
    """A token that somebody holds; what is remembered of it keeps what was made of it."""

    @cached_property
    def caller_parties(self) -> tuple[CallerParty, ...]:
        """Its platform's active parties."""
        return tuple(
            CallerParty(Role(role), PartyRef(country, party), int(pk), holder)
            for role, country, party, pk, holder in self.parties
        )


class TokenRefused(Unauthenticated):
    """The token belongs to a platform, but is not good for this request."""

    def __init__(self, message: str, *, presented_by: Caller) -> None:
        super().__init__(message)
        self.presented_by = presented_by


@dataclass(slots=True)
class Presented:
    """What a request presents to show who sends it.

    headers      by names in lower case, or in any
    address      the one its connection comes from
    configuring  it is for versions or credentials, which take token A as well
    repeatable   it is open to a token that was replaced, until its successor is used
    token_of     whose token it was, once it was looked up, even if it is not good any more
    """

    headers: Mapping[str, str]
    address: str
    configuring: bool = False
    repeatable: bool = False
    token_of: Caller | None = None


def authenticate(presented: Presented, now: Epoch | None = None) -> Caller:
    """Return who sends a request; raises `Unauthenticated`: then `count_stranger` is to be called.

    What is remembered of the epoch is not asked for again; without one everything is.
    """
    headers = presented.headers
    via = headers.get("via")
    if via and shared().has_sent(via):  # somebody gave the hub one of its own URLs to call
        raise UnusableApi(ITSELF)
    try:
        presented.token_of = identify(
            headers.get("authorization"),
            configuring=presented.configuring,
            repeatable=presented.repeatable,
            now=now,
        )
    except TokenRefused as refused:
        presented.token_of = refused.presented_by
        raise
    return presented.token_of


def count_stranger(presented: Presented) -> None:
    """Count a request in vain; raises `TooManyRequests` for a network that sends many (429)."""
    forwarded = presented.headers.get("x-forwarded-for", "")
    rate_limits.check_stranger(client_ip.seen_address(presented.address, forwarded))


def is_known(authorization: str | None) -> bool:
    """Return whether a header brings a good token; nothing is written down."""
    presented = candidates(authorization)
    found = _looked_up([tokens.digest(token) for token, _ in presented]) if presented else {}
    return any(not row.is_revoked and not row.is_expired for row in found.values())


def identify(
    authorization: str | None,
    *,
    configuring: bool,
    repeatable: bool = False,
    now: Epoch | None = None,
) -> Caller:
    """Return who presents this Authorization header; `Unauthenticated` says what is wrong with it.

    `configuring` is true on versions and credentials endpoints, which take token A as well. What is
    remembered of the epoch is not asked for again; without one everything is.
    """
    presented = candidates(authorization)
    if not presented:
        message = "Authorization header missing or not of the form: Token <Base64 of the token>"
        raise Unauthenticated(message)
    found = _remembered(presented, now) or _found(presented, now)
    if found is None:
        raise Unauthenticated(_unknown([form for _, form in presented]))
    row, token, form = found
    repeating = repeatable and _may_repeat(row)
    _require_good(row, token, form, configuring=configuring, repeating=repeating)
    _note_call(row, form, configuring=configuring)
    return _caller(row, token, now, repeating=repeating)


@dataclass(frozen=True, slots=True)
class _Presented(Question[KnownToken]):
    """Whose token has this digest."""

    digest: str

    def ask(self) -> KnownToken:
        """Ask for this one alone."""
        return _looked_up([self.digest])[self.digest]


def _remembered(presented: Readings, now: Epoch | None) -> Found | None:
    """Return the reading of a header whose token is remembered."""
    for token, form in presented if now else ():
        row = memory.known(_Presented(tokens.digest(token)), now)
        if row is not None:
            return row, token, form
    return None


def _found(presented: Readings, now: Epoch | None) -> Found | None:
    """Look up the readings of a header; strangers' tokens leave nothing behind."""
    asked_at = time.monotonic()
    digests = [tokens.digest(token) for token, _ in presented]
    rows = _looked_up(digests)
    for digest, (token, form) in zip(digests, presented, strict=True):
        row = rows.get(digest)
        if row is None:
            continue
        # Nothing is kept of what this call is about to change.
        if now and row.is_used and not row.is_unseen and not row.is_back:
            of = (row.platform_id,)
            memory.remember(_Presented(digest), row, now, asked_at=asked_at, platforms=of)
        return row, token, form
    return None


def _looked_up(digests: list[str]) -> dict[str, KnownToken]:
    """Look up the one or two readings of a header."""
    parameters = {
        "first": digests[0],
        "last": digests[-1],
        "seen_every": connection_health.seen_every(),
        "offline": ConnectionStatus.OFFLINE.value,
    }
    return {row.digest: KnownToken(*row) for row in sql.rows(PRESENTED_TOKEN, parameters)}


def _may_repeat(row: KnownToken) -> bool:
    """Return whether a token that is over is good once more: its successor may not have arrived.

    A token A is over when it was used (revoked), a token C when its time of grace has passed.
    """
    if row.kind == TokenKind.A:
        return row.is_unconfirmed and row.is_revoked and not row.is_expired
    return row.is_unconfirmed and row.is_expired and not row.is_revoked


def _require_good(
    row: KnownToken, token: str, form: TokenForm, *, configuring: bool, repeating: bool
) -> None:
    objection = _objection(row, form, configuring=configuring, repeating=repeating)
    if objection is not None:
        log.warning("%s presented a token that is refused: %s", row.name, objection)
        raise TokenRefused(objection, presented_by=_caller(row, token))


def _objection(
    row: KnownToken, form: TokenForm, *, configuring: bool, repeating: bool
) -> str | None:
    """Return why a known token is not good for this request: the first line that applies."""
    registered = row.status in REGISTERED
    objections: tuple[tuple[bool, str], ...] = (
        (
            row.is_revoked and row.kind == TokenKind.A and row.is_unconfirmed and not repeating,
            _POST_AGAIN,
        ),
        (
            row.is_revoked and row.kind == TokenKind.A and not repeating,
            "this token A was used or withdrawn: use the final token",
        ),
        (row.is_revoked and not repeating, "this token was replaced or withdrawn"),
        (row.is_expired and not repeating, "this token has expired"),
        (
            form is TokenForm.RAW and not parsed(row.quirks).accept_raw_token,
            "the token looks un-encoded: send Token followed by the Base64 of the token",
        ),
        (
            row.kind == TokenKind.A and not configuring,
            "this is token A: until registration is complete it opens versions and credentials",
        ),
        (
            row.kind == TokenKind.C and not registered and not (configuring and row.provisional),
            "this platform is not registered",
        ),
    )
    return next((sentence for applies, sentence in objections if applies), None)


def _unknown(forms: list[TokenForm]) -> str:
    if TokenForm.BASE64 in forms:
        return "unknown token"
    return "unknown token; it looks un-encoded: send Token followed by the Base64 of the token"


def _note_call(row: KnownToken, form: TokenForm, *, configuring: bool) -> None:
    """Write down what this call proves; usually nothing."""
    if not row.is_used and not (row.provisional and configuring):
        _first_use(row)
    if row.form != form:
        Credentials.objects.filter(pk=row.id).update(form=form)
        memory.forget(_Presented(row.digest))
    if row.is_unseen or row.is_back:
        connection_health.called(row.platform_id)


def _first_use(row: KnownToken) -> None:
    """Let the first use of a new token end its predecessors.

    While an exchange started by the hub is open, calls to the versions endpoint prove nothing; any
    other call with the new token shows that the platform stored it.
    """
    unused = Credentials.objects.filter(pk=row.id, first_used_at=None)
    end = Case(When(provisional=True, then=None), default=F("valid_until"))
    first = unused.update(first_used_at=timezone.now(), provisional=False, valid_until=end)
    if first and row.kind == TokenKind.C:
        former = Credentials.objects.inbound(row.platform_id)
        former.filter(kind=TokenKind.C, pk__lt=row.id).revoke()


def _caller(
    row: KnownToken, token: str, now: Epoch | None = None, *, repeating: bool = False
) -> Caller:
    back = row.is_back and row.status == ConnectionStatus.OFFLINE
    return Caller(
        platform_id=row.platform_id,
        name=row.name,
        status=ConnectionStatus.CONNECTED if back else ConnectionStatus(row.status),
        version=row.version,
        parties=row.caller_parties,
        token_kind=row.kind,
        credentials_id=row.id,
        token_last_four=row.last_four,
        quirks=parsed(row.quirks),
        presented_token=token,
        provisional=row.provisional,
        is_repeating=repeating,
        epoch=now,
    )
