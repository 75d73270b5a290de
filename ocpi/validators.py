"""Compiled validators of a class: one ends at the first mistake, one after a number of them.

Half a million findings about a list of a hundred thousand wrong objects help nobody, and the hub
would need gigabytes to make them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from pydantic import ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from ocpi.formats import loose
from ocpi.types import OcpiModel

_Schema = dict[str, Any]


def has_mistakes(model: type[OcpiModel], value: object) -> bool:
    """Whether anything is wrong; of each list, the first wrong item is the last looked at."""
    return not _brief(model)(value)


def mistakes(
    model: type[OcpiModel], value: object, *, most: int, formats: bool
) -> ValidationError | None:
    """Return what is wrong, with or without formats: all of it, or little more than so many."""
    validator = _counting(model, formats=formats)
    try:
        validator.validate_python(value, context=_Budget(most))
    except ValidationError as wrong:
        return wrong
    return None


class _Budget:
    """How many mistakes are still counted."""

    def __init__(self, left: int) -> None:
        self.left = left


@cache
def _brief(model: type[OcpiModel]) -> Callable[[object], bool]:
    """Make no objects: whether there could be any is all that is asked."""

    def change(found: _Schema) -> _Schema:
        match found.get("type"):
            case "model":
                fields = found["schema"]["fields"]
                members = {name: _member(field["schema"]) for name, field in fields.items()}
                typed: Any = core_schema.typed_dict_schema(members)
                return {**typed, "ref": found["ref"]} if "ref" in found else dict(typed)
            case "custom-error":
                return dict(found["schema"])
            case "list":
                return {**found, "fail_fast": True}
        return found

    return _built(model, change).isinstance_python


def _member(schema: _Schema) -> core_schema.TypedDictField:
    """Return a member of a dict: one that may be left out, unless its absence is looked at, too."""
    if schema["type"] != "default":
        return core_schema.typed_dict_field(cast("CoreSchema", schema))
    is_checked = schema.get("validate_default", False)
    return core_schema.typed_dict_field(
        cast("CoreSchema", schema if is_checked else schema["schema"]), required=False
    )


@cache
def _counting(model: type[OcpiModel], *, formats: bool) -> SchemaValidator:
    def change(found: _Schema) -> _Schema:
        if found.get("type") == "list":
            return {**found, "items_schema": _counted(found["items_schema"])}
        without = None if formats else loose(found)
        return found if without is None else dict(without)

    return _built(model, change)


def _built(model: type[OcpiModel], change: Callable[[_Schema], _Schema]) -> SchemaValidator:
    schema: CoreSchema = _changed(model.__pydantic_core_schema__, change)
    # Else the classes inside would be checked as they check themselves.
    return SchemaValidator(schema, _use_prebuilt=False)


def _changed(schema: Any, change: Callable[[_Schema], _Schema]) -> Any:  # noqa: ANN401 - nested schemas
    """Return a schema whose nodes are changed, the inner ones first."""
    if isinstance(schema, list):
        return [_changed(each, change) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return change({name: _changed(each, change) for name, each in schema.items()})


def _counted(schema: CoreSchema) -> CoreSchema:
    return core_schema.with_info_wrap_validator_function(_within_budget, schema)


def _within_budget(
    value: object,
    check: ValidatorFunctionWrapHandler,
    info: "core_schema.ValidationInfo[_Budget]",
) -> object:
    """Check an item of a list, unless enough is known to be wrong."""
    left = info.context.left
    if left <= 0:
        return value
    try:
        return check(value)
    except ValidationError as wrong:
        info.context.left = left - wrong.error_count()
        raise
