"""The sender of a message that names none, and who gets the answer to one that cannot be read.

Spec: 2.2.1 transport and format, message routing headers; A-18, A-46. Links of pages, URLs of what
was posted and URLs for results are the hub's own: it knows for whom it made them.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from hub.gateway import page_links
from hub.store.reads import cursor_reader
from ocpi.errors import InvalidParameters
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID, PartyRef
from parties.caller import Caller
from parties.hub_identity import hub_party


class Records(Protocol):
    """What the hub remembers of URLs and tokens it gave out; asked for few messages."""

    def check_version(self, version: str, caller: Caller) -> None:
        """Refuse a version the platform did not register with, unless it is just leaving it."""

    def poster(self, reference: str) -> str | None:
        """Return the holder who posted what this reference stands for."""

    def asked(self, reference: str, *, platform_id: int, module: ModuleID) -> PartyRef:
        """Return which party of a platform is to send a result here; raises `NotFound`."""


def of_cursor(cursor: str, headers: RoutingHeaders, caller: Caller) -> PartyRef | None:
    """Return the party for whom the page link being followed was made (A-46)."""
    if headers.to not in {None, hub_party()}:
        return headers.sender
    reader, platform_id = cursor_reader(page_links.position(cursor))
    if headers.sender not in {None, reader} or platform_id != caller.platform_id:
        raise InvalidParameters(f"cursor: this page link was made for {reader}")
    return reader


def of_posted(reference: str, caller: Caller, records: Records) -> PartyRef | None:
    """Return who posted what is called: the hub made its URL, which is followed without headers."""
    poster = records.poster(reference)
    return next((each.ref for each in caller.parties if each.holder == poster), None)


def of_result(reference: str, module: ModuleID, caller: Caller, records: Records) -> PartyRef:
    """Return who was asked for the result that is brought, at a URL the hub made for that."""
    return records.asked(reference, platform_id=caller.platform_id, module=module)


def requester(headers: Mapping[str, str], caller: Caller) -> PartyRef | None:
    """Return who asks, as far as it is certain whatever else is wrong with the request (A-18)."""
    refs = caller.refs
    with suppress(InvalidParameters):
        named = RoutingHeaders.read(headers).sender
        if named in refs:
            return named
    return next(iter(refs)) if len(refs) == 1 else None
