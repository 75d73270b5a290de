"""Pushes of what changed: first stored here, then sent until the hub has answered for good.

Spec: 2.2.1 transport_and_format (client owned objects, broadcast push): addressed to the hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import time
from typing import Any

from requests import RequestException

from ocpi.status_codes import StatusCode
from ocpi.transport.message_ids import MessageIds
from ocpi.types import PartyRef
from sandbox.client import Result
from sandbox.demo.events import Events
from sandbox.demo.signals import Signals
from sandbox.demo.tokens import masked
from sandbox.object_store import ObjectStore, write_object
from sandbox.platform import SandboxPlatform, object_path

RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Message:
    """One push of an own object or of a part of it; `text` says it to people."""

    method: str
    module: str
    owner: PartyRef
    ids: tuple[str, ...]
    body: Mapping[str, Any] | None = None
    variant: str = ""
    text: str = ""


@dataclass(slots=True)
class Pusher:
    """Sends messages one after the other and counts those the hub accepted."""

    platform: SandboxPlatform
    events: Events
    signals: Signals
    sent: int = 0

    def push(self, message: Message) -> None:
        """Change the own object, then push that; if a PATCH is refused, push the whole object."""
        whole = apply_to_own(self.platform.own[message.module], message)
        body = "" if message.body is None else write_object(dict(message.body))
        if not self._send(message, body) and message.method == "PATCH":
            self._send(replace(message, method="PUT", ids=message.ids[:1]), whole)

    def _send(self, message: Message, text: str) -> bool:
        """Push until the hub has answered for good, or the process is to end."""
        correlation_id = MessageIds.new().correlation_id
        facts: dict[str, Any] = {
            "method": message.method,
            "module": message.module,
            "path": shown_path(message.module, message.owner, message.ids, message.variant),
            "correlation_id": correlation_id,
            "text": message.text,
        }
        while not self.signals.is_ending:
            at = time()
            try:
                result = self._exchange(message, text, correlation_id)
            except RequestException as error:
                self.events.emit("retry", reason=type(error).__name__, **facts)
            else:
                if not may_succeed_later(result):
                    self._answered(result, message, at=at, facts=facts)
                    return result.succeeded
                self.events.emit("retry", reason=str(result), **facts)
            self.signals.wait(RETRY_SECONDS)
        return True

    def _exchange(self, message: Message, text: str, correlation_id: str) -> Result:
        hub, variant = self.platform.hub, self.platform.own[message.module].kind.variant
        return hub.send(
            message.method,
            message.module,
            "RECEIVER",
            "" if message.method == "POST" else object_path(message.owner, *message.ids),
            text or None,
            query={variant.member: message.variant} if variant else None,
            to=hub.party,
            sender=message.owner,
            **{"X-Correlation-ID": correlation_id},
        )

    def _answered(
        self, result: Result, message: Message, *, at: float, facts: Mapping[str, Any]
    ) -> None:
        self.sent += result.succeeded
        self.events.emit(
            message.method.lower() if result.succeeded else "refused",
            at=at,
            status=(message.body or {}).get("status", ""),
            status_code=result.status_code,
            reason="" if result.succeeded else str(result),
            **facts,
        )


def apply_to_own(store: ObjectStore, message: Message) -> str:
    """Change the platform's own objects by a message; return the object, if it still is there."""
    body, owner, ids = write_object(dict(message.body or {})), message.owner, message.ids
    if message.method == "POST":
        store.post(body)
    elif message.method == "PUT":
        store.put(owner, *ids, body=body, variant=message.variant)
    elif message.method == "PATCH":
        return store.patch(owner, *ids, body=body, variant=message.variant)
    else:
        store.remove(owner, *ids)
    return body


def shown_path(module: str, owner: PartyRef, ids: tuple[str, ...], variant: str = "") -> str:
    """Write what a message is about: no whole uid of a token is ever in a log."""
    shown = ids if module != "tokens" else tuple(masked(each, variant) for each in ids)
    return "/".join((owner.country_code, owner.party_id, *shown))


def may_succeed_later(result: Result) -> bool:
    """Whether trying again later may help: the hub itself failed."""
    code = result.status_code or 0
    return (
        result.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or StatusCode.SERVER_ERROR <= code < StatusCode.HUB_ERROR
    )
