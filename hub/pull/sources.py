"""Sources: the lists that are read, where they are, and whose objects may be in them.

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
    """A personal object of a list as if its owner pushed it, to find out who may have it."""

    module: ModuleID
    interface: InterfaceRole = InterfaceRole.RECEIVER
    kept: Kept = Kept.FOR_ONE
    sender: PartyRef | None = None


@dataclass(frozen=True)
class Source:
    """Everything a crawl needs to know about the list it reads.

    `limit` is the page size; `asked_at` is when this attempt began. `own` has the parties of the
    platform that may own what is listed, each with its holder.
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
    lenient: bool = False
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
        """The type of the listed objects."""
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
        """Whether an owner's objects may be in this list.

        In a hub's, so may those of parties that it never named, unless they are another platform's.
        """
        if str(owner) in self.own:
            return True
        return self.is_hub and str(owner) not in self._others and owner != hub_party()

    def holder_of(self, owner: PartyRef) -> str:
        """Return the holder of an owner's objects from this list."""
        known = self.own.get(str(owner)) or self._unnamed.get(owner)
        if known is None:
            known = self._unnamed[owner] = holders.name(owner, self.platform_id)
        return known

    def entitled(self, owner: str, recipient: Addressee) -> str:
        """Return the holder for whom an owner's personal object is, empty if none may have it."""
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
        """Whether a personal object was for a forgotten party with the holder's name (S-25)."""
        left_at = self._departed.get(holder)
        return left_at is not None and moment < left_at

    @cached_property
    def _departed(self) -> dict[str, datetime]:
        """When parties of forgotten platforms left, by the holder that has their name now."""
        rows = Departed.objects.filter(module=self.module.identifier)
        left = dict(rows.values_list("party", "at"))
        named = Party.objects.filter(key__in=left).order_by().values_list("key", "holder")
        came = named.annotate(came=Min("claimed_at")).filter(came__isnull=False)
        return {holder: left[key] for key, holder, at in came if at > left[key]}

    def listing(self, state: PullState) -> Listing:
        return Listing(self.endpoint, state.date_from, self.limit)


def find(state: PullState) -> Source:
    """Look up where a list is offered now; raises `NotOffered`."""
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
        lenient=platform.quirks.lenient,
    )


def _list_url(endpoint: str, module: Module) -> str:
    """Return the URL of the list of the module's objects that the hub keeps."""
    steps = module.steps_to(module.kept, SENDER) if module.kept else ()
    return client.join(endpoint, "/".join(steps))
