"""The functional modules of a simulated platform, as declared: objects in, objects and pages out.

A module joins by its declaration in `ocpi.versions`; what has no object is acknowledged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from ocpi.errors import MethodNotAllowed, NotFound
from ocpi.modules import Interface, Kind, Match
from ocpi.transport.pagination import PageRequest, next_link
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID, PartyRef, fold, parse_datetime
from ocpi.versions import VERSIONS
from sandbox.authorization import Authorization
from sandbox.charging_preferences import preferred
from sandbox.client_info import Clients
from sandbox.commands import OrderDesk, read_order
from sandbox.endpoints import Endpoint
from sandbox.object_store import Key, ObjectStore, read_object
from sandbox.patch import unknown
from sandbox.quirks import Quirks
from sandbox.recorder import Seen
from sandbox.server import Answer


@dataclass(frozen=True, slots=True)
class Interfaces:
    """The interfaces of one platform over what it owns and what it received, by module."""

    quirks: Quirks
    parties: frozenset[PartyRef]
    own: Mapping[str, ObjectStore]
    received: Mapping[str, ObjectStore]
    desk: OrderDesk
    authorizing: Authorization
    clients: Clients

    def answer(self, endpoint: Endpoint, seen: Seen, url: str) -> Answer:
        """Answer a call of this endpoint, whose advertised URL is given."""
        module = VERSIONS[endpoint.version].modules[endpoint.module]
        match = resource(module.interfaces[endpoint.role], endpoint.rest, seen.method)
        stores = self.own if endpoint.role is InterfaceRole.SENDER else self.received
        store = stores.get(endpoint.module)
        if module.asks_for_results(match.resource, endpoint.role):
            return self.desk.answer(read_order(endpoint.module, match, seen))
        if endpoint.module == ModuleID.HUBCLIENTINFO:
            return self.clients.answer(endpoint.role, match, seen, self.quirks)
        if store is None or match.resource.object != module.kept:
            return self.quirks.success()
        called = "/".join((url.rstrip("/"), *endpoint.rest)) if endpoint.rest else url
        if endpoint.role is InterfaceRole.SENDER:
            return self._send(store, match, seen, called)
        return self._receive(store, match, seen, called)

    # --- sender --------------------------------------------------------------------------------

    def _send(self, store: ObjectStore, match: Match, seen: Seen, url: str) -> Answer:
        if match.resource.real_time:
            return self.authorizing.answer(match.values["token_uid"], seen)
        if seen.method != "GET":
            return self.quirks.success(preferred(store, match.values["session_id"], seen))
        asked = self._asked(seen)
        if match.resource.kind is Kind.LIST:
            return self._page(store, [key for key in store if asked(key)], seen, url)
        ids = match.ids
        for key in store:
            if asked(key) and key[2] == fold(ids[0]):
                return self.quirks.single(store.get_text(PartyRef(*key[:2]), *ids))
        raise unknown(store.kind, "/".join(ids))

    def _asked(self, seen: Seen) -> Callable[[Key], bool]:
        """Tell which objects are asked for: those of the addressed party when it is one of ours."""
        to = RoutingHeaders.read(seen.headers).to
        if self.quirks.ignore_to or to not in self.parties:
            return lambda _: True
        return lambda key: PartyRef(*key[:2]) == to

    def _page(self, store: ObjectStore, keys: list[Key], seen: Seen, url: str) -> Answer:
        page = PageRequest.read(seen.query)
        texts = [store[key] for key in keys]
        texts = [text for text in texts if _within(text, page.date_from, page.date_to)]
        limit = min(page.limit or self.quirks.page_limit, self.quirks.page_limit)
        start = int(page.cursor or "0", 16) if self.quirks.cursor_links else page.offset
        end = start + limit
        answer = self.quirks.success_text(f"[{','.join(texts[start:end])}]".encode())
        paging = self._paging(seen, url, end, len(texts), limit)
        return Answer(answer.http_status, answer.body, {**answer.headers, **paging})

    def _paging(self, seen: Seen, url: str, end: int, total: int, limit: int) -> dict[str, str]:
        """Say how large the list is, and where it goes on if it does."""
        if self.quirks.cursor_links:
            query = urlencode({**seen.query, "cursor": f"{end:x}"})
            return {"Link": next_link(f"?{query}")} if end < total else {}
        paging = {"X-Total-Count": str(total), "X-Limit": str(self.quirks.page_limit)}
        if end < total:
            query = urlencode({**seen.query, "offset": end, "limit": limit})
            paging["Link"] = next_link(f"{url}?{query}")
        return paging

    # --- receiver ------------------------------------------------------------------------------

    def _receive(self, store: ObjectStore, match: Match, seen: Seen, url: str) -> Answer:
        if store.kind.posted:
            return self._receive_posted(store, match, seen, url)
        ids, owner = match.ids, match.owner
        if owner is None:
            return self.quirks.success()
        variant = seen.query.get(store.kind.variant.member, "") if store.kind.variant else ""
        if seen.method == "GET":
            return self.quirks.single(store.get_text(owner, *ids, variant=variant))
        if seen.method == "DELETE":
            store.remove(owner, *ids)
            return self.quirks.success()
        if seen.method == "PATCH":
            text = store.patch(owner, *ids, body=seen.body, variant=variant)
            return self.quirks.stored(text, created=False)
        created = store.put(owner, *ids, body=seen.body, variant=variant)
        return self.quirks.stored(seen.body.decode(), created=created)

    def _receive_posted(self, store: ObjectStore, match: Match, seen: Seen, url: str) -> Answer:
        if seen.method == "GET":
            owner, identifier = _referred(*match.ids)
            return self.quirks.single(store.get_text(owner, identifier))
        (country, party, identifier), created = store.post(seen.body)
        reference = quote(f"{PartyRef(country, party)}-{identifier}", safe="")
        answer = self.quirks.stored(seen.body.decode(), created=created)
        location = f"{url.rstrip('/')}/{reference}"
        return Answer(answer.http_status, answer.body, {**answer.headers, "Location": location})


def _referred(reference: str) -> tuple[PartyRef, str]:
    """Read NL-CPA-C1, the name a posted object has in its `Location`."""
    return PartyRef(reference[:2], reference[3:6]), reference[7:]


def resource(interface: Interface, segments: tuple[str, ...], method: str) -> Match:
    """Find the resource these segments lead to, if it takes the method."""
    match = interface.match(segments, method)
    if match is None:
        raise NotFound("nothing under this URL")
    if method not in match.resource.methods:
        raise MethodNotAllowed(allowed=interface.allowed(segments))
    return match


def is_result(endpoint: Endpoint, method: str) -> bool:
    """Whether a call brings the result of an order."""
    version = VERSIONS.get(endpoint.version)
    side = version.modules[endpoint.module].interfaces.get(endpoint.role) if version else None
    match = side.match(endpoint.rest, method) if side else None
    return match is not None and match.resource.kind is Kind.RESULT


def _within(text: str, date_from: datetime | None, date_to: datetime | None) -> bool:
    """Whether last_updated lies in the filter: from inclusive, to exclusive."""
    if date_from is None and date_to is None:
        return True
    moment = parse_datetime(str(read_object(text).get("last_updated")))
    return (date_from is None or moment >= date_from) and (date_to is None or moment < date_to)
