"""A simulated platform: a CPO, an eMSP or both, alive on loopback for as long as it is started.

It serves versions, credentials and the declared modules, records all it sees, and misbehaves on
demand.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, Unpack
from urllib.parse import quote
from uuid import uuid4

from ocpi.errors import NotFound
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from ocpi.versions import VERSIONS
from sandbox.authorization import Authorization
from sandbox.client import HubClient, Result
from sandbox.client_info import Clients
from sandbox.commands import OrderDesk
from sandbox.credentials_tokens import Tokens
from sandbox.default_endpoints import offered
from sandbox.dispatcher import Dispatcher
from sandbox.endpoints import Addresses, Endpoint, EndpointKind
from sandbox.interfaces import Interfaces, is_result
from sandbox.misbehaviour import hang
from sandbox.object_store import ObjectStore, write_object
from sandbox.overrides import Override, Overrides
from sandbox.quirks import QuirkOptions, Quirks
from sandbox.recorder import Match, Recorder, Seen
from sandbox.registration import Handshake
from sandbox.server import Answer, Call, Responder, SandboxServer

Watcher = Callable[[Seen, Answer], None]
DEFAULT_ROLES = (("CPO", "NL", "CPA"),)


class SandboxPlatform:
    """One OCPI platform in memory: its objects, its tokens, its connection to the hub.

    own, objects: the objects it is the owner of, and those it received, both by module.
    hub: its client side. tokens: the credentials tokens it issued.
    watchers: called with each answer it gives when it behaves.
    clients: who is connected, if it offers `client_info`.
    authorizing: its answers about drivers. desk: the orders it takes, and their results.
    """

    def __init__(
        self,
        roles: Iterable[tuple[str, str, str]] = DEFAULT_ROLES,
        *,
        versions: Sequence[str] = ("2.2.1",),
        modules: Mapping[str, Sequence[str]] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        client_info: bool = False,
        **quirks: Unpack[QuirkOptions],
    ) -> None:
        self.roles = [(Role(role), PartyRef(country, party)) for role, country, party in roles]
        self.name = f"Sandbox {self.party}"
        self.host, self.port = host, port
        self.quirks = Quirks(**quirks)
        usual = offered((role for role, _ in self.roles), client_info=client_info)
        sides = _sides(usual if modules is None else modules)
        self.addresses = Addresses(list(versions), sides, self.quirks.trailing_slash)
        self.own, self.objects = self._stores(), self._stores()
        self.clients, self.tokens = Clients(), Tokens()
        self.hub = HubClient(self.quirks)
        self.recorder, self.rules = Recorder(), Overrides()
        self.watchers: list[Watcher] = []
        self._handshake = Handshake(
            self.quirks, self.tokens, self.hub, self.credentials, self.addresses.versions
        )
        self.authorizing = Authorization(self.quirks, self.parties, self.own)
        self.desk = OrderDesk(self.quirks, self.parties, self.own, self.hub)
        self._answering = Dispatcher(self.addresses, self._handshake, self._interfaces())
        self._server: SandboxServer | None = None

    # --- start and stop ---------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen; a platform that was stopped comes back on its old port with all it knew."""
        self._server = SandboxServer((self.host, self.port), self._usual, self._handle)
        self.port = self._server.port
        self.addresses.origin = f"http://{self.host}:{self.port}"
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening and join every thread; raises what went wrong in them."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        self.desk.stop()
        self.hub.close()
        if server is not None and server.failures:
            message = f"{self.name} failed"
            raise ExceptionGroup(message, server.failures)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # --- who and where -------------------------------------------------------------------------

    @property
    def party(self) -> PartyRef:
        """Its first party."""
        return self.roles[0][1]

    @property
    def parties(self) -> frozenset[PartyRef]:
        """All its parties."""
        return frozenset(party for _, party in self.roles)

    @property
    def url(self) -> str:
        """Its versions URL."""
        return self.addresses.url(Endpoint(EndpointKind.VERSIONS))

    def endpoint(self, module: str, role: str, version: str | None = None) -> str:
        """Give the advertised URL of one of its endpoints."""
        number = version or self.addresses.versions[-1]
        endpoint = Endpoint(EndpointKind.ENDPOINT, number, ModuleID(module), InterfaceRole(role))
        return self.addresses.url(endpoint)

    def move(self, module: str, role: str, path: str | None) -> None:
        """Offer an endpoint under another path from now on; None withdraws it."""
        self.addresses.moved[ModuleID(module), InterfaceRole(role)] = path

    def hide(self, module: str, role: str) -> None:
        """Keep an endpoint, and leave it out of the version details."""
        self.addresses.unlisted.add((ModuleID(module), InterfaceRole(role)))

    def credentials(self, token: str) -> dict[str, Any]:
        """Its credentials object around a token."""
        details = {"name": self.name, "website": f"{self.addresses.origin}/"}
        return {
            "token": token,
            "url": self.url,
            "roles": [
                {
                    "role": str(role),
                    "business_details": details,
                    "party_id": party.party_id,
                    "country_code": party.country_code,
                }
                for role, party in self.roles
            ],
        }

    # --- handshake -----------------------------------------------------------------------------

    def invite(self, token_a: str | None = None) -> str:
        """Give out a token A, so that the hub can start the registration."""
        return self.tokens.invite(token_a)

    def register_with(self, versions_url: str, token_a: str) -> Result:
        """Register with the hub; Refused, UnsupportedVersion … or a requests error otherwise."""
        return self._handshake.register(versions_url, token_a)

    def rotate(self) -> Result:
        """Renew the tokens of both directions, and let the hub read the endpoints again."""
        return self._handshake.update()

    def switch(self, version: str) -> Result:
        """Change the connection to another version."""
        return self._handshake.update(version)

    def unregister(self) -> Result:
        """End the connection."""
        return self._handshake.unregister()

    # --- its own objects -----------------------------------------------------------------------

    def publish(self, module: str, value: Mapping[str, Any]) -> Result:
        """Keep an object as its own truth and PUT it, or POST it, addressed to the hub."""
        text, kind = write_object(dict(value)), self.own[module].kind
        owner = PartyRef(value["country_code"], value["party_id"])
        routing = {"to": self.hub.party, "sender": owner}
        if kind.posted:
            self.own[module].post(text)
            return self.hub.post(module, "RECEIVER", body=text, **routing)
        identifier = str(value[kind.id_field])
        self.own[module].put(owner, identifier, body=text)
        query = {kind.variant.member: value[kind.variant.member]} if kind.variant else None
        suffix = object_path(owner, identifier)
        return self.hub.put(module, "RECEIVER", suffix, text, query=query, **routing)

    def change(
        self,
        module: str,
        owner: PartyRef,
        *ids: str,
        patch: Mapping[str, Any],
        variant: str = "",
        **headers: str,
    ) -> Result:
        """Change an own object, or a part of it, and PATCH it, addressed to the hub."""
        text, kind = write_object(dict(patch)), self.own[module].kind
        self.own[module].patch(owner, *ids, body=text, variant=variant)
        query = {kind.variant.member: variant} if kind.variant and variant else None
        suffix, routing = object_path(owner, *ids), {"to": self.hub.party, "sender": owner}
        return self.hub.patch(module, "RECEIVER", suffix, text, query=query, **routing, **headers)

    def withdraw(self, module: str, owner: PartyRef, identifier: str) -> Result:
        """Give an own object up and DELETE it, addressed to the hub."""
        self.own[module].remove(owner, identifier)
        suffix, routing = object_path(owner, identifier), {"to": self.hub.party, "sender": owner}
        return self.hub.delete(module, "RECEIVER", suffix, **routing)

    # --- orders of its own -----------------------------------------------------------------------

    def response_url(self, module: str) -> str:
        """Make a URL for the results of one order."""
        return f"{self.endpoint(module, 'SENDER').rstrip('/')}/{uuid4().hex}"

    @property
    def results(self) -> list[Seen]:
        """What was POSTed to its response_urls, oldest first."""
        return self.recorder.all(self._is_result)

    def _is_result(self, seen: Seen) -> bool:
        try:
            endpoint = self.addresses.find(seen.route)
        except NotFound:
            return False
        return is_result(endpoint, seen.method)

    # --- what it saw, and how it misbehaves ----------------------------------------------------

    @property
    def seen(self) -> list[Seen]:
        """Every request since the start or the last `forget`, oldest first."""
        return self.recorder.all()

    def wait_for(
        self, match: Match, timeout: float = 5.0, *, count: int = 1, answered: bool = True
    ) -> Seen:
        """Return the count-th match, seen already or still to come; TimeoutError otherwise.

        It has taken effect by then, unless `answered` is False: then its arrival is enough.
        """
        return self.recorder.wait_for(match, timeout, count=count, answered=answered)

    def forget(self) -> None:
        """Forget what was seen; objects and tokens remain."""
        self.recorder.clear()

    def answer(self, match: Match, responder: Responder) -> Override:
        """Misbehave on these requests until the rule is cancelled; the newest rule wins."""
        return self.rules.add(match, responder)

    def hold(self, seconds: float, match: Match = "") -> Override:
        """Delay the answers to these requests, by default to all."""
        return self.answer(match, hang(seconds))

    def _handle(self, call: Call) -> None:
        self.recorder.add(call.seen)
        try:
            self.rules.responder(call.seen)(call)
        finally:
            self.recorder.settle(call.seen)

    def _usual(self, seen: Seen) -> Answer:
        answer = self._answering.answer(seen)
        for watch in self.watchers:
            watch(seen, answer)
        return answer

    def _interfaces(self) -> Interfaces:
        own, received, desk = self.own, self.objects, self.desk
        return Interfaces(
            self.quirks, self.parties, own, received, desk, self.authorizing, self.clients
        )

    def _stores(self) -> dict[str, ObjectStore]:
        declared = VERSIONS[self.addresses.versions[-1]].modules
        kinds = {str(name): declared[name].kept for name in self.addresses.modules}
        return {name: ObjectStore(kind) for name, kind in kinds.items() if kind is not None}


def _sides(modules: Mapping[str, Sequence[str]]) -> dict[ModuleID, list[InterfaceRole]]:
    return {ModuleID(name): list(map(InterfaceRole, each)) for name, each in modules.items()}


def object_path(owner: PartyRef, *ids: str) -> str:
    """Write the path of a client owned object, or of a part of it, after the endpoint's URL."""
    return "/".join(quote(part, safe="") for part in (owner.country_code, owner.party_id, *ids))
