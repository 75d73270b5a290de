"""Answering functional modules as their declarations say: objects in, objects and pages out.

A module joins by its declaration in `ocpi.versions`; what has no object is acknowledged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from ocpi.errors import MethodNotAllowed, NotFound
from ocpi.modules import Interface, Match
from ocpi.sandbox.addresses import Place
from ocpi.sandbox.patching import unknown
from ocpi.sandbox.quirks import Quirks
from ocpi.sandbox.seen import Seen
from ocpi.sandbox.server import Answer
from ocpi.sandbox.shelf import Key, Shelf, read_object
from ocpi.transport.pagination import PageRequest, next_link
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, PartyRef, fold, parse_datetime
from ocpi.versions import VERSIONS

OWNER = ("country_code", "party_id")


@dataclass(frozen=True, slots=True)
class Interfaces:
    """The interfaces of one platform over what it owns and what it received, by module."""

    quirks: Quirks
    parties: frozenset[PartyRef]
    own: Mapping[str, Shelf]
    received: Mapping[str, Shelf]

    def answer(self, place: Place, seen: Seen, url: str) -> Answer:
        """Answer a call of this endpoint, whose advertised URL is given."""
        interface = VERSIONS[place.version].modules[place.module].interfaces[place.role]
        match = resource(interface, place.rest, seen.method)
        shelves = self.own if place.role is InterfaceRole.SENDER else self.received
        shelf = shelves.get(place.module)
        if shelf is None or not all(step.startswith("{") for step in match.resource.path):
            return self.quirks.success()
        if place.role is InterfaceRole.SENDER:
            return self._send(shelf, match, seen, url)
        return self._receive(shelf, match, seen, url)

    # --- sender --------------------------------------------------------------------------------

    def _send(self, shelf: Shelf, match: Match, seen: Seen, url: str) -> Answer:
        if seen.method != "GET":
            return self.quirks.success()
        asked = self._asked(seen)
        if not match.resource.path:
            return self._page(shelf, [key for key in shelf if asked(key)], seen, url)
        ids = tuple(match.values.values())
        for country, party, name in shelf:
            if asked((country, party, name)) and name == fold(ids[0]):
                return self.quirks.single(shelf.get_text(PartyRef(country, party), *ids))
        raise unknown(shelf.kind, "/".join(ids))

    def _asked(self, seen: Seen) -> Callable[[Key], bool]:
        """Whose objects are asked for: those of the addressed party when it is one of ours."""
        to = RoutingHeaders.read(seen.headers).to
        if self.quirks.ignore_to or to not in self.parties:
            return lambda _: True
        return lambda key: PartyRef(key[0], key[1]) == to

    def _page(self, shelf: Shelf, keys: list[Key], seen: Seen, url: str) -> Answer:
        page = PageRequest.read(seen.query)
        texts = [shelf[key] for key in keys]
        texts = [text for text in texts if _within(text, page.date_from, page.date_to)]
        limit = min(page.limit or self.quirks.page_limit, self.quirks.page_limit)
        end = page.offset + limit
        answer = self.quirks.success_text(f"[{','.join(texts[page.offset : end])}]".encode())
        paging = {"X-Total-Count": str(len(texts)), "X-Limit": str(self.quirks.page_limit)}
        if end < len(texts):
            query = urlencode({**seen.query, "offset": end, "limit": limit})
            paging["Link"] = next_link(f"{url}?{query}")
        return Answer(answer.http_status, answer.body, {**answer.headers, **paging})

    # --- receiver ------------------------------------------------------------------------------

    def _receive(self, shelf: Shelf, match: Match, seen: Seen, url: str) -> Answer:
        ids = tuple(value for name, value in match.values.items() if name not in OWNER)
        if seen.method == "POST":
            return self._create(shelf, seen, url)
        owner = PartyRef(match.values["country_code"], match.values["party_id"])
        if seen.method == "GET":
            return self.quirks.single(shelf.get_text(owner, *ids))
        if seen.method == "DELETE":
            shelf.remove(owner, *ids)
            return self.quirks.success()
        if seen.method == "PATCH":
            return self.quirks.stored(shelf.patch(owner, *ids, body=seen.body), created=False)
        created = shelf.put(owner, *ids, body=seen.body)
        return self.quirks.stored(shelf.get_text(owner, *ids), created=created)

    def _create(self, shelf: Shelf, seen: Seen, url: str) -> Answer:
        new = read_object(seen.body)
        owner = PartyRef(str(new.get("country_code")), str(new.get("party_id")))
        identifier = str(new.get(shelf.kind.id_field))
        shelf.put(owner, identifier, body=seen.body)
        answer = self.quirks.success(http_status=201)
        location = f"{url.rstrip('/')}/{identifier}"
        return Answer(answer.http_status, answer.body, {**answer.headers, "Location": location})


def resource(interface: Interface, segments: tuple[str, ...], method: str) -> Match:
    """Find the resource these segments lead to, if it takes the method."""
    match = interface.match(segments)
    if match is None:
        raise NotFound("nothing under this URL")
    if method not in match.resource.methods:
        raise MethodNotAllowed(allowed=interface.allowed(segments))
    return match


def _within(text: str, date_from: datetime | None, date_to: datetime | None) -> bool:
    """Whether last_updated lies in the filter: from inclusive, to exclusive."""
    if date_from is None and date_to is None:
        return True
    moment = parse_datetime(str(read_object(text).get("last_updated")))
    return (date_from is None or moment >= date_from) and (date_to is None or moment < date_to)
