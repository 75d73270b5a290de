"""The declaration of a module: the classes in which a version of OCPI says what it has.

Specification: transport_and_format (interface endpoints) and version_information_endpoint. All the
rest follows from a declaration: what is announced, at which URLs and with which methods, who may
call whom, where a message goes that names no receiver, what the message log calls it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ocpi.errors import OcpiError
from ocpi.roles import Pairs
from ocpi.types import InterfaceRole, ModuleID, OcpiModel, PartyRef

OWNER = ("country_code", "party_id")
OWNED = tuple(f"{{{name}}}" for name in OWNER)
"""The first steps of the path of a Client Owned Object."""

GET, POST, PUT = frozenset({"GET"}), frozenset({"POST"}), frozenset({"PUT"})


@dataclass(frozen=True, slots=True)
class Variant:
    """The member by which objects of one owner and one id differ: the `type` of Tokens.

    A URL names it as a query parameter; where it does not, it means the default.
    """

    member: str
    default: str


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A type of objects, with what it takes to address, check and merge one.

    `unknown` is the error for an id that nobody has. `appended` are the lists a PATCH adds to
    instead of replacing them. What is `posted` has no id in its URL: it is created once by POST and
    never changes.
    """

    name: str
    model: type[OcpiModel]
    id_field: str
    unknown: type[OcpiError]
    part: "Part | None" = None
    patch_needs_last_updated: bool = True
    variant: Variant | None = None
    appended: frozenset[str] = frozenset()
    posted: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The member of an object that holds objects with ids and URLs of their own."""

    member: str
    object: ObjectType


class Kind(StrEnum):
    """What lies at a path, which decides what can become of a message to it."""

    LIST = "list"
    """Objects, page by page."""
    OBJECT = "object"
    """One object or a part of it, or the place where one is posted."""
    ACTION = "action"
    """What a party is asked to do, now: nothing of it can be kept."""
    RESULT = "result"
    """What came of an action, where the `response_url` leads that it named."""


@dataclass(frozen=True, slots=True)
class OwnerOf:
    """The receiver of an action that names none, but an object: that object's owner.

    The id of the object is in `member`, of the path or the body; it is one that a hub keeps of
    `module`.
    """

    member: str
    module: ModuleID


@dataclass(frozen=True, slots=True)
class EarlierAction:
    """The receiver of an action that names none, but an earlier one: who accepted or sent that.

    Both have the same value in `member`, of the path or the body; `request` is what the earlier one
    asked for (`Resource.request`): a RESERVE_NOW, for a CANCEL_RESERVATION.
    """

    member: str
    request: str


@dataclass(frozen=True, slots=True)
class Resource:
    """What lies under an endpoint: a path whose `{steps}` take any value, and its methods.

    `object` is the type that is listed, read or written there, whole or a part of it, or that an
    action names by its path;
    `body` the class of what is sent otherwise. `about` says how the receiver of an action that
    names none is found. It is in `real_time` when a driver waits at a Charge Point for the answer.
    """

    path: tuple[str, ...]
    methods: frozenset[str]
    kind: Kind = Kind.OBJECT
    object: ObjectType | None = None
    body: type[OcpiModel] | None = None
    about: OwnerOf | EarlierAction | None = None
    real_time: bool = False

    def values(self, segments: Sequence[str]) -> dict[str, str] | None:
        """Read the variable steps of a path, or None when the path leads elsewhere."""
        if len(segments) != len(self.path):
            return None
        steps = list(zip(self.path, segments, strict=True))
        if any(step != segment for step, segment in steps if not step.startswith("{")):
            return None
        return {step[1:-1]: segment for step, segment in steps if step.startswith("{")}

    def request(self, method: str) -> str:
        """Name what is asked here: the word in its path, such as START_SESSION, else the method."""
        return next((step for step in self.path if not step.startswith("{")), method)


@dataclass(frozen=True, slots=True)
class Match:
    """The resource a path leads to, with the values of its variable steps.

    The path of Client Owned Objects names their `owner`; all other values are the `ids` of the
    object and its parts, as the path spells them.
    """

    resource: Resource
    values: dict[str, str]
    owner: PartyRef | None
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Interface:
    """One side of a module: what the data's owner or its reader implements."""

    role: InterfaceRole
    resources: tuple[Resource, ...]

    def match(self, segments: Sequence[str], method: str = "") -> Match | None:
        """Find the resource behind the segments that follow the endpoint's URL.

        Of several at one path it is the one that takes the method, if any does.
        """
        found = self._at(segments)
        fitting = (each for each in found if method in each[0].methods)
        best = next(fitting, found[0] if found else None)
        return _match(*best) if best else None

    def allowed(self, segments: Sequence[str]) -> tuple[str, ...]:
        """Name the methods a path answers to, sorted; none when it leads nowhere."""
        return tuple(sorted({name for each, _ in self._at(segments) for name in each.methods}))

    def _at(self, segments: Sequence[str]) -> list[tuple[Resource, dict[str, str]]]:
        read = ((resource, resource.values(segments)) for resource in self.resources)
        return [(resource, values) for resource, values in read if values is not None]


def _match(resource: Resource, values: dict[str, str]) -> Match:
    is_owned = all(name in values for name in OWNER)
    owner = PartyRef(*(values[name] for name in OWNER)) if is_owned else None
    ids = tuple(value for name, value in values.items() if name not in OWNER)
    return Match(resource, values, owner, ids)


@dataclass(frozen=True, slots=True)
class Module:
    """One chapter of the specification as far as a platform has to serve it.

    `roles` are pairs: who implements SENDER and who RECEIVER between parties. `delegated` are such
    pairs where an eMSP takes a CPO's part: only for messages that name such a party. `kept` is the
    one type of objects that a hub stores; all others it only passes on. A configuration module is
    not `functional`.
    """

    identifier: ModuleID
    sender: tuple[Resource, ...] = ()
    receiver: tuple[Resource, ...] = ()
    roles: Pairs = frozenset()
    delegated: Pairs = frozenset()
    kept: ObjectType | None = None
    functional: bool = True
    interfaces: Mapping[InterfaceRole, Interface] = field(init=False)

    def __post_init__(self) -> None:
        """Offer the sides that have anything to offer."""
        sides = zip(InterfaceRole, (self.sender, self.receiver), strict=True)
        offered = {role: Interface(role, resources) for role, resources in sides if resources}
        object.__setattr__(self, "interfaces", offered)

    @property
    def body(self) -> type[OcpiModel]:
        """The class of what is sent to a configuration module."""
        return next(each.body for each in (*self.receiver, *self.sender) if each.body)

    def asks_for_results(self, resource: Resource, interface: InterfaceRole) -> bool:
        """Whether the result of an action comes later, to the `response_url` it names."""
        if interface is not InterfaceRole.RECEIVER or resource.kind is not Kind.ACTION:
            return False
        return any(each.kind is Kind.RESULT for each in self.sender)

    @property
    def reference_members(self) -> frozenset[str]:
        """The members by which a later action refers to an earlier one."""
        named = (each.about for each in (*self.sender, *self.receiver))
        return frozenset(each.member for each in named if isinstance(each, EarlierAction))

    def result_path(self, reference: str) -> str:
        """Return the path below an endpoint at which results are taken."""
        path = next(each.path for each in self.sender if each.kind is Kind.RESULT)
        return "/".join(reference if step.startswith("{") else step for step in path)

    def steps_to(self, kind: ObjectType, interface: InterfaceRole) -> tuple[str, ...]:
        """Return the steps of a path before the ids of objects of a type, or their owner."""
        paths = (each.path for each in self.interfaces[interface].resources if each.object is kind)
        return tuple(step for step in min(paths, key=len) if not step.startswith("{"))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of OCPI: its number, the modules it consists of, and what is read by which class.

    `listed` is the class of an entry in a list of versions, `details` that of one's endpoints,
    `credentials` that of what platforms exchange to register; a hub says `client_info` of a party.
    """

    number: str
    modules: Mapping[ModuleID, Module]
    listed: type[OcpiModel]
    details: type[OcpiModel]
    credentials: type[OcpiModel] = field(init=False)
    client_info: type[OcpiModel] = field(init=False)

    def __post_init__(self) -> None:
        """Read by what the configuration modules declare."""
        object.__setattr__(self, "credentials", self.modules[ModuleID.CREDENTIALS].body)
        object.__setattr__(self, "client_info", self.modules[ModuleID.HUBCLIENTINFO].body)


def modules(*declared: Module) -> dict[ModuleID, Module]:
    """Key the modules of a version by their identifier."""
    return {module.identifier: module for module in declared}
