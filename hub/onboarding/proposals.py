"""Proposals: what would let more pass of what a platform says, by what it said so far.

Each is a quirk (`parties.quirks`), with the evidence and the command that sets it. Nothing is set
by itself: a refusal may be right, and a person decides.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from hub.gateway.routing import SAY_WHO_SPEAKS
from hub.models import Exchange
from hub.module_policy import POLICIES
from hub.onboarding.evidence import CREDENTIALS, Facts, is_good
from hub.store.spelling import spelled_path
from ocpi.client import TOKEN_REFUSED
from ocpi.status_codes import StatusCode
from ocpi.transport.authorization import TokenForm
from ocpi.types import InterfaceRole, ModuleID, Role
from ocpi.versions import kept_type
from parties.quirks import written
from parties.registration.invitation import Initiator
from parties.role_pairs import calls

_NOTHING_THERE = {404, 405}
_NOT_IMPLEMENTED = {405, 501}
_MOST_BODIES = 5
"""How many refused objects are looked into: bodies may be long."""
_LOOKS_FOR_ENDPOINTS = {StatusCode.UNUSABLE_API, StatusCode.NO_MATCHING_ENDPOINTS}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What may help, why, and what to type for it."""

    why: str
    command: str


def propose(facts: Facts) -> Sequence[Proposal]:
    """Return what may help a platform, by the evidence; what is set already is not proposed."""
    return [
        Proposal(why, f"manage.py quirks {shlex.quote(facts.name)} {written(name)}={value}")
        for name, value, why in _quirks(facts)
    ]


def _quirks(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Find quirks by name, the value to set, and why."""
    for find in _FINDERS:
        found = find(facts)
        if found is not None:
            yield found


_Found = tuple[str, str, str] | None


def _token_form(facts: Facts) -> _Found:
    """Look whether its side refused our token: what differs between platforms is Base64 (A-02)."""
    last = next((row for row in facts.exchanges if row.direction == "out"), None)
    if facts.is_registered or last is None or not _refuses_token(last):
        return None
    sent, value = ("in Base64", "off") if facts.quirks.base64_out else ("without Base64", "on")
    what = f"{last.method} {last.module}"
    why = f"It refused our {what}; if token A is right, it may not read one that is sent {sent}."
    return "base64_out", value, why


def _refuses_token(row: Exchange) -> bool:
    """Whether a platform refused our token, or credentials it may have refused for the token."""
    by_code = row.module == CREDENTIALS and row.status_code == StatusCode.INVALID_PARAMETERS
    return row.http_status in TOKEN_REFUSED or by_code


def _raw_token(facts: Facts) -> _Found:
    if facts.form != TokenForm.RAW or facts.takes_raw:
        return None
    return "accept_raw_token", "on", "It sends its token without Base64."


def _credentials_role(facts: Facts) -> _Found:
    """Look whether it read our version details, and found no credentials endpoint in them."""
    details = facts.fetched_by_platform(details=True)
    is_set = facts.quirks.credentials_role == "receiver"
    if facts.is_registered or is_set or details is None or not is_good(details):
        return None
    offer = facts.credentials_exchange()
    if facts.starts is Initiator.HUB:
        lost = offer is not None and offer.status_code in _LOOKS_FOR_ENDPOINTS
    else:
        lost = offer is None or offer.at < details.at
    if not lost:
        return None
    why = "It read our version details and went no further"
    return "credentials_role", "receiver", f"{why}: it may look for credentials of a RECEIVER."


def _details(facts: Facts) -> _Found:
    """Look whether it calls the side of a module that is its own, not ours."""
    if facts.quirks.details == "by-role":
        return None
    for row in facts.failed:
        if row.direction == "in" and row.http_status in _NOTHING_THERE and _is_own_side(row, facts):
            side = row.interface.lower()
            why = f"It called our {side} of {row.module}, which its roles never do: {_said(row)}"
            return "details", "by-role", f"{why}; it may keep one endpoint a module."
    return None


def _is_own_side(row: Exchange, facts: Facts) -> bool:
    roles = {Role(each.partition(" ")[0]) for each in facts.listed}
    if row.interface not in set(InterfaceRole) or not roles:
        return False
    may_call = partial(_may_call, roles, ModuleID(row.module))
    this = InterfaceRole(row.interface)
    return not may_call(this) and any(may_call(side) for side in InterfaceRole if side is not this)


def _may_call(roles: set[Role], module: ModuleID, side: InterfaceRole) -> bool:
    return any(calls(role, module, side) for role in roles)


def _to_self(facts: Facts) -> _Found:
    for row in facts.failed:
        is_itself = row.direction == "in" and row.sender and row.sender == row.receiver
        if is_itself and not facts.quirks.to_self:
            return "to_self", "on", f"It names itself, {row.sender}, in OCPI-to: {_said(row)}."
    return None


def _owner_speaks(facts: Facts) -> _Found:
    """Look whether what it writes has an owner but no sender."""
    for row in facts.failed:
        asks = row.direction == "in" and SAY_WHO_SPEAKS in row.status_message
        writes = row.interface == InterfaceRole.RECEIVER and row.method != "GET"
        if asks and writes and not facts.quirks.owner_speaks:
            return "owner_speaks", "on", f"It leaves OCPI-from out: {_said(row)}."
    return None


def _patch(facts: Facts) -> _Found:
    for row in facts.failed:
        is_patch = row.direction == "out" and row.method == "PATCH"
        if is_patch and row.http_status in _NOT_IMPLEMENTED and facts.quirks.patch_supported:
            return "patch_supported", "off", f"It takes no PATCH: {_said(row)}."
    return None


def _one_spelling(facts: Facts) -> _Found:
    """Look whether it refused objects whose URL has other letters than they have."""
    if facts.quirks.one_spelling:
        return None
    refused = (row for row in facts.failed if _is_refused_object(row))
    for row in islice(refused, _MOST_BODIES):
        if spelled_path(row.path, kept_type(row.module), row.request_body) != row.path:
            why = f"The URL has other letters than the object, {row.path}: {_said(row)}."
            return "one_spelling", "on", why
    return None


def _is_refused_object(row: Exchange) -> bool:
    is_put = row.direction == "out" and row.method == "PUT" and row.module in POLICIES
    return is_put and row.http_status is not None


_FINDERS: Sequence[Callable[[Facts], _Found]] = (
    _token_form,
    _raw_token,
    _credentials_role,
    _details,
    _to_self,
    _owner_speaks,
    _patch,
    _one_spelling,
)


def _said(row: Exchange) -> str:
    """Show a message and how it was answered."""
    code = f", status {row.status_code}" if row.status_code is not None else ""
    message = f"{row.method} {row.module} at {row.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{message} met HTTP {row.http_status}{code}"
