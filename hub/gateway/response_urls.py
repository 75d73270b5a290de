"""Response URLs: replaced by one of the hub's own in requests, and called when results come.

Spec: 2.2.1 mod_commands, mod_charging_profiles; A-42, A-104, A-107, A-108. The receiver gets a URL
of the hub's SENDER interface, which is unguessable, bound to the receiver's platform, and good for
several results and through restarts. A result is forwarded once, at once; its sender gets the
requester's answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

import msgspec

from database import sql
from hub.gateway import callbacks, directory, forwarding
from hub.gateway.callbacks import RequestSubject
from hub.gateway.message import Message
from hub.gateway.outbound import Outbound, PeerAnswer
from hub.gateway.response_url_parameter import (
    IN_BODY,
    RESPONSE_URL,
    SplitQuery,
    others_in_body,
    others_in_query,
    split,
)
from hub.gateway.routes import Destination
from hub.gateway.routing import objection
from hub.models import Callback
from hub.store import raw_json
from ocpi import client
from ocpi.errors import Finding, InvalidParameters, OcpiError
from ocpi.transport.envelope import wraps_object
from ocpi.transport.message_ids import MessageIds
from ocpi.types import InterfaceRole, PartyRef, parse_datetime
from ocpi.validation import decode_object
from ocpi.versions import VERSIONS
from parties.hub_identity import endpoint_url


def substitute(message: Message, destination: Destination) -> tuple[Message, Callback]:
    """Return the message with a URL of the hub as its `response_url`, and the stored callback.

    Raises `InvalidParameters` when there is no `response_url`, or one that must not be called
    (TF-46), or something beside it that reads as another.
    """
    in_body = message.method in IN_BODY
    value = message.content if in_body else {}
    given = str(value.get(RESPONSE_URL) or "")
    query = SplitQuery(message.query, given, "") if in_body else split(message.query)
    others = others_in_query(f"{message.path}?{query.before}&{query.after}")
    _check(query.url, others + (others_in_body(message.body) if in_body else []))
    callbacks.check_limit(message.platform_id)
    callback = _stored_callback(message, destination, _subject(message, value), query.url)
    hub_url = _hub_url(message, destination, callback)
    if not in_body:
        encoded = f"{query.before}{RESPONSE_URL}={quote(hub_url, safe='')}{query.after}"
        return replace(message, query=encoded), callback
    members = {**raw_json.members(message.body), RESPONSE_URL: msgspec.json.encode(hub_url)}
    return replace(message, body=raw_json.joined(members)), callback


def note_answer(callback: Callback, answer: PeerAnswer) -> None:
    """Note in the callback when the answer is ACCEPTED."""
    try:
        data = decode_object(answer.body).get("data")
    except OcpiError:
        return
    if isinstance(data, dict) and data.get("result") == "ACCEPTED":
        with sql.best_effort(f"that {callback.receiver} accepted"):
            callbacks.note_accepted(callback)


async def forward_result(message: Message) -> tuple[PeerAnswer, Destination]:
    """Forward a result to the requester; return its answer, and the requester."""
    callback = callbacks.awaited(
        message.ids[0], platform_id=message.platform_id, module=message.module
    )
    requester = directory.at_platform(callback.sender_platform_id, PartyRef.parse(callback.sender))
    destination = replace(requester, endpoint=callback.url)
    refusal = objection(destination, "results")
    if refusal is not None:
        raise refusal
    callbacks.note_result(callback)
    request = Outbound(
        method="POST",
        url=callback.url,
        destination=destination,
        sender=PartyRef.parse(callback.receiver),
        ids=_ids(message, callback),
        body=_without_envelope(message),
        about=f"result of {callback.kind}",
        epoch=message.epoch,
    )
    return await forwarding.send(request), destination


def _ids(message: Message, callback: Callback) -> MessageIds:
    """Return a result's own ids; one without correlation id gets that of its request (A-42)."""
    if message.is_correlated:
        return message.message_ids
    return replace(message.message_ids, correlation_id=callback.correlation_id)


def _check(url: str, others: list[Finding]) -> None:
    """Refuse a URL that is missing or must not be called, and any other finding."""
    wrong = "" if url else "is required"
    try:
        client.shared().check_url(url)
    except client.AddressRefused as error:
        wrong = wrong or str(error)
    findings = ([Finding(RESPONSE_URL, wrong)] if wrong else []) + others
    if findings:
        raise InvalidParameters(findings=findings)


def _subject(message: Message, value: Mapping[str, object]) -> RequestSubject:
    """Return what a request is about: the first id of those that its module is remembered by."""
    said, declared = {**value, **message.values}, VERSIONS[message.version].modules[message.module]
    names = (said.get(name) for name in ("session_id", *declared.reference_members))
    about = next(filter(None, names), "")
    until = _moment(said.get("expiry_date"))
    return RequestSubject(
        message.module, message.resource.request(message.method), str(about), until
    )


def _moment(text: object) -> datetime | None:
    try:
        return parse_datetime(str(text))
    except ValueError:
        return None


def _stored_callback(
    message: Message, destination: Destination, subject: RequestSubject, url: str
) -> Callback:
    return Callback.objects.create(
        module=subject.module,
        kind=subject.kind,
        about=callbacks.about_key(subject.about),
        sender=str(message.sender),
        sender_platform_id=message.platform_id,
        url=url,
        receiver=str(destination.ref),
        receiver_platform_id=destination.platform_id,
        correlation_id=message.message_ids.correlation_id,
        expires_at=callbacks.expires_at(subject.until),
    )


def _hub_url(message: Message, destination: Destination, callback: Callback) -> str:
    """Return the hub's URL for results, in the version that the receiver speaks."""
    version = VERSIONS[destination.version or message.version]
    endpoint = endpoint_url(version, message.module, InterfaceRole.SENDER)
    return f"{endpoint}/{version.modules[message.module].result_path(callback.pk.hex)}"


def _without_envelope(message: Message) -> bytes:
    """Return a result without the envelope that some platforms put it in (A-104)."""
    if not wraps_object(message.content):
        return message.body
    return bytes(msgspec.json.decode(message.body, type=dict[str, msgspec.Raw])["data"])
