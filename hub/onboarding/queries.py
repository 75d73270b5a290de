"""Queries for the evidence of a platform's handshake.

Of a registered platform only the exchanges count that led to its present registration: those since
its invitation, or since the end of the registration before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from hub.models import Exchange, PullState
from hub.onboarding.checklist import Checklist, decide
from hub.onboarding.evidence import CREDENTIALS, VERSIONS, Facts, with_credentials
from ocpi.status_codes import StatusCode
from ocpi.types import InterfaceRole, ModuleID, Role
from ocpi.versions import VERSIONS as VERSIONS_OF_HUB
from parties.models import Credentials, Direction, Platform, TokenKind
from parties.registration.discovery import Interface
from parties.registration.invitation import Initiator
from parties.role_pairs import typical_interfaces

_MODULES = (VERSIONS, CREDENTIALS)
_MOST_EXCHANGES = 60
_MOST_TOKENS = 100
_MOST_FAILURES = 200
_FAILURES_SINCE = timedelta(days=1)
"""How old a failure may be to speak for a quirk: what was mended since speaks for none."""
_AFTERWARDS = timedelta(minutes=2)
"""How long the calls after a registration belong to its handshake."""
_STRANGERS_SINCE = timedelta(days=1)
"""How old a call with an unknown token may be to pass for this platform's."""


def read(platform: Platform, starts: Initiator | None = None) -> Checklist:
    """Return the checklist of a platform.

    `starts` is the side that is to start, as long as it is not registered; by default the one that
    the evidence speaks for.
    """
    now = timezone.now()
    tokens = _tokens(platform)
    since, until = window(platform, tokens, now)
    exchanges = _exchanges(platform.name, since, until)
    token_a = next((token for token in tokens if token.kind == TokenKind.A), None)
    if starts is None or platform.is_registered:
        starts = _starter(exchanges, token_a)
    listed = [(Role(row.role), str(row.ref)) for row in platform.allowed_parties.all()]
    return decide(
        Facts(
            starts=starts,
            now=now,
            exchanges=exchanges,
            token_a=token_a,
            stranger=_stranger(platform, max(since, now - _STRANGERS_SINCE)),
            is_registered=platform.is_registered,
            listed=frozenset(f"{role} {ref}" for role, ref in listed),
            active=frozenset(
                f"{row.role} {row.key}" for row in platform.parties.all() if row.is_active
            ),
            endpoints=_endpoints(platform),
            expected=_expected(platform.version, frozenset(role for role, _ in listed)),
            form=next((token.form for token in tokens if token.form), ""),
            takes_raw=platform.quirks.accept_raw_token,
            pulls=_pulls(platform),
            is_pulled=platform.quirks.pull,
            name=platform.name,
            quirks=platform.quirks,
            failed=_failed(platform, now),
            trouble=platform.last_error,
            trouble_at=platform.last_error_at,
        )
    )


def window(
    platform: Platform, tokens: Sequence[Credentials], now: datetime
) -> tuple[datetime, datetime]:
    """Return when the handshake that counts began, and until when its exchanges are looked for."""
    end, until = _registered(tokens) if platform.is_registered else (now, now)
    issued = (token.valid_from for token in tokens if token.kind == TokenKind.A)
    ended = (token.revoked_at for token in tokens if token.kind == TokenKind.C)
    before = [moment for moment in (*issued, *ended) if moment is not None and moment <= end]
    return max([platform.created_at, *before]), until


def _registered(tokens: Sequence[Credentials]) -> tuple[datetime, datetime]:
    """Return when the present registration began, and until when calls belong to its handshake.

    It began with the first of the tokens C that follow each other without a gap. Its handshake is
    over after `_AFTERWARDS`, or when the next token was issued, by a handshake of its own.
    """
    # Newest first. A renewal leaves the former token good until the new one is used, say
    # 10:00-12:01 before 12:00-: one registration, from 10:00 on. One that had ended before the next
    # began, say 10:00-11:00 before 12:00-, is of a former registration: the search is over.
    begin = following = timezone.now() + _AFTERWARDS
    for token in (token for token in tokens if token.kind == TokenKind.C):
        if token.revoked_at is not None and token.revoked_at <= begin:
            break
        begin, following = token.valid_from, begin
    return begin, min(begin + _AFTERWARDS, following)


def _tokens(platform: Platform) -> Sequence[Credentials]:
    """Return the tokens that the hub issued, newest first, without what is secret of them."""
    inbound = platform.credentials.filter(direction=Direction.IN).defer("digest", "sealed")
    return list(inbound.order_by("-pk")[:_MOST_TOKENS])


def _exchanges(name: str, since: datetime, until: datetime) -> Sequence[Exchange]:
    found = Exchange.objects.filter(
        platform=name, module__in=_MODULES, at__gte=since, at__lte=until
    )
    return list(found.order_by("-at", "-id")[:_MOST_EXCHANGES])


def _failed(platform: Platform, now: datetime) -> Sequence[Exchange]:
    """Return its last messages of a day without success; without bodies, which may be long."""
    found = Exchange.objects.filter(platform=platform.name, at__gte=now - _FAILURES_SINCE)
    failed = found.exclude(status_code=StatusCode.SUCCESS).defer("request_body", "response_body")
    return list(failed.order_by("-at", "-id")[:_MOST_FAILURES])


def _stranger(platform: Platform, since: datetime) -> Exchange | None:
    """Return the last call with an unknown token, as long as this platform is expected to call."""
    if platform.is_registered:
        return None
    unknown = Exchange.objects.filter(
        platform="", module__in=_MODULES, direction="in", http_status=401, at__gte=since
    )
    return unknown.order_by("-at", "-id").first()


def _starter(exchanges: Sequence[Exchange], token_a: Credentials | None) -> Initiator:
    last = next(iter(with_credentials(exchanges)), None)
    if last is not None:
        return Initiator.HUB if last.direction == "out" else Initiator.PLATFORM
    return Initiator.HUB if token_a is None else Initiator.PLATFORM


def _endpoints(platform: Platform) -> frozenset[Interface]:
    return frozenset(
        (ModuleID(row.module), InterfaceRole(row.role))
        for row in platform.endpoints.all()
        if row.module != ModuleID.CREDENTIALS
    )


def _expected(version: str, roles: frozenset[Role]) -> frozenset[Interface]:
    """Return what platforms with these roles typically offer."""
    if version not in VERSIONS_OF_HUB:
        return frozenset()
    return typical_interfaces(VERSIONS_OF_HUB[version], roles)


def _pulls(platform: Platform) -> Sequence[PullState]:
    found = PullState.objects.filter(party__platform=platform).select_related("party")
    return list(found.order_by("party__key", "pk"))
