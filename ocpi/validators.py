"""Compiled validators of a class: one ends at the first mistake, one after a number of them.

Half a million findings about a list of a hundred thousand wrong objects help nobody, and the hub
would need gigabytes to make them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from ocpi.types import OcpiModel

_Schema = dict[str, Any]


def has_mistakes(model: type[OcpiModel], value: object) -> bool:
    """Whether anything is wrong; of each list, the first wrong item is the last looked at."""
    try:
        _brief(model).validate_python(value)
    except ValidationError:
        return True
    return False


def mistakes(model: type[OcpiModel], value: object, *, most: int) -> ValidationError | None:
    """Return what is wrong: all of it, or little more than so many."""
    try:
        _counting(model).validate_python(value, context=_Budget(most))
    except ValidationError as wrong:
        return wrong
    return None


class _Budget:
    """How many mistakes are still counted."""

    def __init__(self, left: int) -> None:
        self.left = left


@cache
def _brief(model: type[OcpiModel]) -> SchemaValidator:
    return _built(model, lambda found: {**found, "fail_fast": True})


@cache
def _counting(model: type[OcpiModel]) -> SchemaValidator:
    return _built(model, lambda found: {**found, "items_schema": _counted(found["items_schema"])})


def _built(model: type[OcpiModel], change: Callable[[_Schema], _Schema]) -> SchemaValidator:
    schema: CoreSchema = _changed(model.__pydantic_core_schema__, change)
    # Else the classes inside would be checked as they check themselves.
    return SchemaValidator(schema, _use_prebuilt=False)


def _changed(schema: Any, change: Callable[[_Schema], _Schema]) -> Any:  # noqa: ANN401 - nested schemas
    """Return a schema whose lists are changed."""
    if isinstance(schema, list):
        return [_changed(each, change) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _changed(each, change) for name, each in schema.items()}
    return change(found) if found.get("type") == "list" else found


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
