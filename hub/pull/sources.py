"""Sources: whose list is read, where its platform offers it, and whose objects it may have.

Spec: 2.2.1 transport and format, message routing; TF-53, A-126.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db.models import Min

from hub.gateway.directory import PartyDirectory
from hub.gateway.routes import Addressee, Kept
from hub.gateway.routing import destination_for
from hub.models import Departed, PullState
from hub.module_policy import POLICIES, ModulePolicy
from hub.pull.pagination import Listing
from ocpi import client
from ocpi.errors import OcpiError, ReceiverNotConnected
from ocpi.modules import Module, ObjectType
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from ocpi.versions import VERSIONS
from parties import holders, outbound_auth
from parties.connection_status import ConnectionStatus
from parties.hub_identity import hub_party
from parties.models import Endpoint, Party
from parties.role_pairs import implements

SENDER = InterfaceRole.SENDER


class NotOffered(Exception):
    """The list cannot be read at present; the text says why."""


@dataclass(frozen=True, slots=True)
class _Push:
    """What somebody's personal object would be pushed as; its owner never hears why it is not."""

    module: ModuleID
    interface: InterfaceRole = InterfaceRole.RECEIVER
    kept: Kept = Kept.FOR_ONE
    sender: PartyRef | None = None


@dataclass(frozen=True)
class Source:
    """Everything a crawl needs to know about the list it reads, since it was `asked_at`.

    `own` has the platform's parties that may own what is listed, and under which names the hub
    files what is theirs.
    """

    module: Module
    version: str
    party: PartyRef
    platform_id: int
    endpoint: str
    limit: int
    peer: client.Peer
    is_hub: bool
    own: Mapping[str, str]
    asked_at: datetime
    _unnamed: dict[PartyRef, str] = field(default_factory=dict)
    _entitled: dict[tuple[str, Addressee], str] = field(default_factory=dict)

    @property
    def headers(self) -> RoutingHeaders:
        """The request is the hub's own, to this one party (TF-102)."""
        return RoutingHeaders(to=self.party, sender=hub_party())

    @property
    def policy(self) -> ModulePolicy:
        return POLICIES[self.module.identifier]

    @property
    def kind(self) -> ObjectType:
        """What the list is made of."""
        if self.module.kept is None:
            message = f"{self.module.identifier} has no objects to pull"
            raise TypeError(message)
        return self.module.kept

    @cached_property
    def _others(self) -> frozenset[str]:
        """The parties of all other platforms."""
        others = Party.objects.exclude(platform=self.platform_id)
        return frozenset(others.values_list("key", flat=True))

    def may_have(self, owner: PartyRef) -> bool:
        """Whether an owner's objects may come from there: of a hub also those it never named."""
        if str(owner) in self.own:
            return True
        return self.is_hub and str(owner) not in self._others and owner != hub_party()

    def holder_of(self, owner: PartyRef) -> str:
        """Return under which name an owner's objects are filed that come from there."""
        known = self.own.get(str(owner)) or self._unnamed.get(owner)
        if known is None:
            known = self._unnamed[owner] = holders.name(owner, self.platform_id)
        return known

    def entitled(self, owner: str, recipient: Addressee) -> str:
        """Return the holder who may have an owner's personal objects, if any; looked up once."""
        pair = (owner, recipient)
        if pair not in self._entitled:
            self._entitled[pair] = self._entitled_holder(owner, recipient)
        return self._entitled[pair]

    def _entitled_holder(self, owner: str, recipient: Addressee) -> str:
        try:
            push = _Push(self.module.identifier)
            to = destination_for(recipient, push, PartyDirectory(hub_party(), owner))
        except OcpiError:
            return ""
        return to.holder if to.is_live else ""

    def is_of_predecessor(self, holder: str, moment: datetime) -> bool:
        """Whether a personal object is of who was called so before its holder came (S-25)."""
        left_at = self._departed.get(holder)
        return left_at is not None and moment < left_at

    @cached_property
    def _departed(self) -> dict[str, datetime]:
        """Until when recipients of forgotten platforms were there, by who came after them."""
        rows = Departed.objects.filter(module=self.module.identifier)
        left = dict(rows.values_list("party", "at"))
        named = Party.objects.filter(key__in=left).order_by().values_list("key", "holder")
        came = named.annotate(came=Min("claimed_at")).filter(came__isnull=False)
        return {holder: left[key] for key, holder, at in came if at > left[key]}

    def listing(self, state: PullState) -> Listing:
        return Listing(self.endpoint, state.date_from, self.limit)


def find(state: PullState) -> Source:
    """Look a list up as it is offered now; raises `NotOffered`."""
    party, platform, module = state.party, state.party.platform, ModuleID(state.module)
    if platform.status != ConnectionStatus.CONNECTED or not party.is_active:
        raise NotOffered(f"{platform.name} is {party.status}")
    endpoint = Endpoint.objects.filter(platform=platform, module=module, role=SENDER.value).first()
    if endpoint is None:
        raise NotOffered(f"{platform.name} offers no list of {module}")
    try:
        peer = outbound_auth.peer_of(platform.pk)
    except ReceiverNotConnected as error:
        raise NotOffered(str(error)) from error
    declared = VERSIONS[platform.version].modules[module]
    roles = platform.parties.filter(is_active=True).values_list("key", "role", "holder")
    return Source(
        module=declared,
        version=platform.version,
        party=party.ref,
        platform_id=platform.pk,
        endpoint=_list_url(endpoint.url, declared),
        limit=platform.quirks.page_limit or settings.HUB_PULL_PAGE_LIMIT,
        peer=peer,
        is_hub=any(role == Role.HUB for _, role, _ in roles),
        own={key: holder for key, role, holder in roles if implements(Role(role), module, SENDER)},
        asked_at=state.tried_at or state.created_at,
    )


def _list_url(endpoint: str, module: Module) -> str:
    """Return where the list of what is kept of a module lies."""
    steps = module.steps_to(module.kept, SENDER) if module.kept else ()
    return client.join(endpoint, "/".join(steps))
