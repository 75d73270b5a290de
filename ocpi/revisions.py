"""How a version restates what another one declares: classes, enums and modules.

Specification: the changelogs of the versions.
"""

from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import create_model

from ocpi.modules import Module, ObjectType, Resource
from ocpi.types import OcpiEnum, OcpiModel


def restated(module: Module, *changed: ObjectType | type[OcpiModel]) -> Module:
    """Restate a module for another version, with other types or bodies of the same names."""
    new = {_name(each): each for each in changed}

    def revise(resource: Resource) -> Resource:
        old: dict[str, Any] = {"object": resource.object, "body": resource.body}
        return replace(
            resource, **{field: new.get(_name(each), each) for field, each in old.items()}
        )

    return replace(
        module,
        sender=tuple(map(revise, module.sender)),
        receiver=tuple(map(revise, module.receiver)),
        kept=cast("ObjectType | None", new.get(_name(module.kept), module.kept)),
    )


def _name(restated: ObjectType | type[OcpiModel] | None) -> tuple[type, str] | None:
    """Name what is restated: an object type and its class are of one name."""
    if isinstance(restated, ObjectType):
        return ObjectType, restated.name
    return (OcpiModel, restated.__name__) if restated else None


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
