"""`response_url` on its way through the hub, and results on their way back.

Spec: 2.2.1 mod_commands, mod_charging_profiles; A-42, A-104, A-107, A-108. Each side talks to the
hub only: who is asked gets a URL of the hub's SENDER interface, unguessable, bound to its platform,
good for several results and through restarts. A result is passed on once, now; what becomes of it
is told to who sent it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, unquote

import msgspec

from database import sql
from hub.gateway import callbacks, directory, forwarding
from hub.gateway.callbacks import Asked
from hub.gateway.forwarding import Answer, Outbound
from hub.gateway.message import Message
from hub.gateway.response_url_spellings import NAME as RESPONSE_URL
from hub.gateway.response_url_spellings import beside_the_body, beside_the_query
from hub.gateway.routing import Destination, objection
from hub.models import Callback
from hub.store import raw_json
from ocpi import client
from ocpi.errors import Finding, InvalidParameters, OcpiError
from ocpi.transport.message_ids import MessageIds
from ocpi.types import InterfaceRole, ModuleID, PartyRef, parse_datetime
from ocpi.validation import decode_object
from ocpi.versions import VERSIONS
from parties import observed_habits
from parties.hub_identity import endpoint_url
from parties.observed_habits import Habit

_IN_BODY = frozenset({"POST", "PUT"})
_ENCODED = re.compile("%(?:3f|3d|26)", re.IGNORECASE)
"""What separates the parts of a query, encoded."""


@dataclass(frozen=True, slots=True)
class _Query:
    """A query around its response_url, which is decoded; it `is_bare` when it was not encoded."""

    before: str
    url: str
    after: str
    is_bare: bool = False


def asks_for_results(message: Message) -> bool:
    """Tell whether a message names a URL for its results."""
    return message.module.has_results and message.interface is InterfaceRole.RECEIVER


def substituted(message: Message, destination: Destination) -> tuple[Message, Callback]:
    """Put a URL of the hub in place of the `response_url`, and remember whose it was.

    Raises `InvalidParameters` when there is none, or none that may be called (TF-46).
    """
    in_body = message.method in _IN_BODY
    value = decode_object(message.body) if in_body else {}
    said = str(value.get(RESPONSE_URL) or "")
    query = _Query(message.query, said, "") if in_body else _split(message.query)
    beside = beside_the_query(f"{message.path}?{query.before}&{query.after}")
    _check(query.url, beside + (beside_the_body(message.body) if in_body else []))
    if query.is_bare:
        about = f"{message.method} {message.module.identifier}"
        observed_habits.note(message.platform_id, [(Habit.URL_NOT_ENCODED, about)])
    callbacks.check_number(message.platform_id)
    callback = _remembered(message, destination, _asked(message, value), query.url)
    own = f"{_endpoint(message, destination)}/{callback.pk.hex}"
    if not in_body:
        encoded = f"{query.before}{RESPONSE_URL}={quote(own, safe='')}{query.after}"
        return replace(message, query=encoded), callback
    members = {**raw_json.members(message.body), RESPONSE_URL: msgspec.json.encode(own)}
    return replace(message, body=raw_json.joined(members)), callback


def note_answer(callback: Callback, answer: Answer) -> None:
    """Note that the receiver accepted."""
    try:
        data = decode_object(answer.body).get("data")
    except OcpiError:
        return
    if isinstance(data, dict) and data.get("result") == "ACCEPTED":
        with sql.forgiving(f"that {callback.receiver} accepted"):
            callbacks.note_accepted(callback)


def passed_on(message: Message) -> tuple[Answer, Destination]:
    """Pass a result on to who asked for it."""
    module = message.module.identifier
    callback = callbacks.awaited(
        message.object_ids[0], platform_id=message.platform_id, module=module
    )
    asker = directory.at_platform(callback.sender_platform_id, PartyRef.parse(callback.sender))
    destination = replace(asker, endpoint=callback.url)
    refusal = objection(destination, "results")
    if refusal is not None:
        raise refusal
    callbacks.note_result(callback)
    outbound = Outbound(
        method="POST",
        url=callback.url,
        destination=destination,
        sender=PartyRef.parse(callback.receiver),
        ids=_ids(message, callback),
        body=_bare(message),
        about=f"result of {callback.kind}",
    )
    return forwarding.send(outbound), destination


def _ids(message: Message, callback: Callback) -> MessageIds:
    """Keep the result in the exchange it belongs to where it names none itself (A-42)."""
    if message.is_correlated:
        return message.ids
    return replace(message.ids, correlation_id=callback.correlation_id)


def _split(query: str) -> _Query:
    """Find the response_url, encoded or not; with a query of its own it goes on to the end (A-108).

    Some libraries encode only what would end a parameter, so `://` alone tells nothing.
    """
    found = f"&{query}".find(f"&{RESPONSE_URL}=")
    if found < 0:
        return _Query(query, "", "")
    before, rest = query[:found], query[found + len(RESPONSE_URL) + 1 :]
    value, ampersand, after = rest.partition("&")
    if "://" not in value or ("=" not in value and _ENCODED.search(value)):
        return _Query(before, unquote(value), ampersand + after)
    if "?" not in value:
        return _Query(before, value, ampersand + after)
    url, ampersand, after = rest.rpartition("&duration=")
    if ampersand and after.isdigit():
        return _Query(before, url, ampersand + after, is_bare=True)
    return _Query(before, rest, "", is_bare=True)


def _check(url: str, beside: list[Finding]) -> None:
    """Refuse a URL that is missing or must not be called, and others: they would be passed on."""
    wrong = "" if url else "is required"
    try:
        client.shared().check_url(url)
    except client.AddressRefused as error:
        wrong = wrong or str(error)
    findings = ([Finding(RESPONSE_URL, wrong)] if wrong else []) + beside
    if findings:
        raise InvalidParameters(findings=findings)


def _asked(message: Message, value: Mapping[str, object]) -> Asked:
    """Return what a request is about."""
    if message.module.identifier is ModuleID.CHARGINGPROFILES:
        return Asked(ModuleID.CHARGINGPROFILES, message.method, message.match.values["session_id"])
    command = message.match.resource.path[0]
    about = value.get("session_id") or value.get("reservation_id")
    return Asked(ModuleID.COMMANDS, command, str(about or ""), _moment(value.get("expiry_date")))


def _moment(text: object) -> datetime | None:
    try:
        return parse_datetime(str(text))
    except ValueError:
        return None


def _remembered(message: Message, destination: Destination, asked: Asked, url: str) -> Callback:
    return Callback.objects.create(
        module=asked.module.value,
        kind=asked.kind,
        about=callbacks.about_key(asked.about),
        sender=str(message.sender),
        sender_platform_id=message.platform_id,
        url=url,
        receiver=str(destination.ref),
        receiver_platform_id=destination.platform_id,
        correlation_id=message.ids.correlation_id,
        expires_at=callbacks.expiry(asked.until),
    )


def _endpoint(message: Message, destination: Destination) -> str:
    """Return the hub's SENDER endpoint in the version the receiver speaks."""
    version = VERSIONS[destination.version or message.version]
    return endpoint_url(version, message.module.identifier, InterfaceRole.SENDER)


def _bare(message: Message) -> bytes:
    """Take a result out of an envelope somebody put it in (A-104)."""
    value = decode_object(message.body)
    if "status_code" not in value or not isinstance(value.get("data"), dict):
        return message.body
    observed_habits.note(
        message.platform_id, [(Habit.RESULT_IN_ENVELOPE, str(message.module.identifier))]
    )
    return bytes(msgspec.json.decode(message.body, type=dict[str, msgspec.Raw])["data"])
