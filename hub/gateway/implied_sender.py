"""The sender of a message without FROM headers, and the requester of one that cannot be read.

Spec: 2.2.1 transport and format, message routing headers; A-18, A-46. URLs of pages, of posted
objects and for results are the hub's own, so it knows for which party it made them.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from hub.gateway import page_links
from hub.store.reads import cursor_reader
from ocpi.errors import InvalidParameters, OcpiError
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID, PartyRef
from ocpi.validation import as_object, decode
from parties.caller import Caller
from parties.hub_identity import hub_party


class Records(Protocol):
    """What the hub remembers of URLs and tokens it gave out; few messages need a look-up."""

    def check_version(self, version: str, caller: Caller) -> None:
        """Refuse a version the platform did not register with, unless it is switching from it."""

    def poster(self, reference: str) -> str | None:
        """Return the holder who posted what this reference stands for."""

    def asked_party(self, reference: str, *, platform_id: int, module: ModuleID) -> PartyRef:
        """Return the party of a platform that owes a result at this URL; raises `NotFound`."""


def of_cursor(cursor: str, headers: RoutingHeaders, caller: Caller) -> PartyRef | None:
    """Return the party for whom the page link being followed was made (A-46)."""
    if headers.to not in {None, hub_party()}:
        return headers.sender
    reader, platform_id = cursor_reader(page_links.open_cursor(cursor))
    if headers.sender not in {None, reader} or platform_id != caller.platform_id:
        raise InvalidParameters(f"cursor: this page link was made for {reader}")
    return reader


def of_posted(reference: str, caller: Caller, records: Records) -> PartyRef | None:
    """Return the caller's party that posted the object at this URL; None when another did."""
    poster = records.poster(reference)
    return next((each.ref for each in caller.parties if each.holder == poster), None)


def of_result(reference: str, module: ModuleID, caller: Caller, records: Records) -> PartyRef:
    """Return the party that a result is expected from, by the URL it is sent to."""
    return records.asked_party(reference, platform_id=caller.platform_id, module=module)


def of_owner(owner: PartyRef | None, caller: Caller) -> PartyRef | None:
    """Return the owner of what is written, if it is a party of the caller: nobody else's."""
    return owner if owner in caller.refs else None


def owner_in(body: bytes) -> PartyRef | None:
    """Return the party in the text of an object; None when it is none that can be read."""
    with suppress(OcpiError):
        found = as_object(decode(body))
        country_code, party_id = found.get("country_code"), found.get("party_id")
        if isinstance(country_code, str) and isinstance(party_id, str):
            return PartyRef(country_code, party_id)
    return None


def requester(headers: Mapping[str, str], caller: Caller) -> PartyRef | None:
    """Return who sent a request that cannot be read, if that much is certain (A-18).

    The FROM party if it is the caller's, else the caller's only party.
    """
    refs = caller.refs
    with suppress(InvalidParameters):
        named = RoutingHeaders.read(headers).sender
        if named in refs:
            return named
    return next(iter(refs)) if len(refs) == 1 else None
