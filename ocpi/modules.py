"""The words in which a version of OCPI declares its modules, and how a later one restates them.

Specification: transport_and_format (interface endpoints) and version_information_endpoint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import create_model

from ocpi.errors import OcpiError
from ocpi.types import InterfaceRole, ModuleID, OcpiEnum, OcpiModel


@dataclass(frozen=True, slots=True)
class Resource:
    """What lies under an endpoint: a path whose `{steps}` take any value, and its methods."""

    path: tuple[str, ...]
    methods: frozenset[str]

    def values(self, segments: Sequence[str]) -> dict[str, str] | None:
        """Read the variable steps of a path, or None when the path leads elsewhere."""
        if len(segments) != len(self.path):
            return None
        steps = list(zip(self.path, segments, strict=True))
        if any(step != segment for step, segment in steps if not step.startswith("{")):
            return None
        return {step[1:-1]: segment for step, segment in steps if step.startswith("{")}


@dataclass(frozen=True, slots=True)
class Match:
    """The resource a path leads to, with the values of its variable steps."""

    resource: Resource
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Interface:
    """One side of a module: what the data's owner or its reader implements."""

    role: InterfaceRole
    resources: tuple[Resource, ...]

    def match(self, segments: Sequence[str]) -> Match | None:
        """Find the resource behind the segments that follow the endpoint's URL."""
        for resource in self.resources:
            values = resource.values(segments)
            if values is not None:
                return Match(resource, values)
        return None

    def allowed(self, segments: Sequence[str]) -> tuple[str, ...]:
        """Name the methods a path answers to, sorted; none when it leads nowhere."""
        found = self.match(segments)
        return tuple(sorted(found.resource.methods)) if found else ()


@dataclass(frozen=True, slots=True)
class Variant:
    """The member that tells objects of one owner and one id apart.

    A URL names it as a query parameter; where it does not, it means the default.
    """

    member: str
    default: str


@dataclass(frozen=True, slots=True)
class ObjectType:
    """What a module is about, with what it takes to address, check and merge one.

    `appended` are the lists a PATCH adds to instead of replacing them. What is `posted` has no id
    in its URL: it is created once by POST and never changes.
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


@dataclass(frozen=True, slots=True)
class Module:
    """One chapter of the specification as far as a platform has to serve it."""

    identifier: ModuleID
    interfaces: Mapping[InterfaceRole, Interface]
    object: ObjectType | None = None
    functional: bool = True
    client_owned: bool = False
    has_results: bool = False
    """Its requests name a `response_url`, to which results are posted."""

    def is_result(self, method: str, interface: InterfaceRole) -> bool:
        """Tell whether such a message brings a result: a POST to the party that asked."""
        return self.has_results and interface is InterfaceRole.SENDER and method == "POST"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of OCPI: its number and the modules it consists of."""

    number: str
    modules: Mapping[ModuleID, Module]


def interfaces(*declared: Interface) -> dict[InterfaceRole, Interface]:
    """Key the interfaces of a module by their role."""
    return {interface.role: interface for interface in declared}


def modules(*declared: Module) -> dict[ModuleID, Module]:
    """Key the modules of a version by their identifier."""
    return {module.identifier: module for module in declared}


def revised(
    model: type[OcpiModel], /, *, drop: tuple[str, ...] = (), **changed: object
) -> type[OcpiModel]:
    """Restate a class for another version: without some fields, with others of another type.

    A field that is changed to `X | None` is optional, any other is required. Everything else,
    name and docstring included, stays what it was.
    """
    kept = {
        name: hint
        for name, hint in get_type_hints(model, include_extras=True).items()
        if name in model.model_fields and name not in drop
    }
    fields: dict[str, Any] = {
        name: (hint, None if _is_optional(hint) else ...) for name, hint in (kept | changed).items()
    }
    return create_model(model.__name__, __base__=OcpiModel, __doc__=model.__doc__, **fields)


def lacking(enum: type[OcpiEnum], *values: str) -> type[OcpiEnum]:
    """Restate an enum for a version that does not have some of its values yet."""
    kept = [(member.name, member.value) for member in enum if member.value not in values]
    build = cast("Any", OcpiEnum)
    return cast("type[OcpiEnum]", build(enum.__name__, kept))


def _is_optional(hint: object) -> bool:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint)
