"""The pydantic classes and enums against the field tables of the specification."""

from types import ModuleType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from annotated_types import MinLen

from ocpi import types, v2_2, v2_2_1
from ocpi.types import Digits, Length, OcpiEnum, OcpiModel, RoutingKey, Scalar
from ocpi.v2_2 import commands as commands_of_2_2
from ocpi.v2_2 import versions as versions_of_2_2
from ocpi.v2_2_1 import (
    cdrs,
    chargingprofiles,
    commands,
    credentials,
    hubclientinfo,
    location_types,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)
from tests.ocpi import tables

SOURCES = {"copy": tables.kept()}
if tables.DOCUMENT.exists():
    SOURCES["document"] = tables.documented()

NEWER: tuple[ModuleType, ...] = (
    *(types, versions, credentials, location_types, locations, sessions, cdrs),
    *(tariffs, tokens, commands, chargingprofiles, hubclientinfo),
)
OLDER = (versions_of_2_2, v2_2.locations, v2_2.sessions, v2_2.cdrs, commands_of_2_2)
FILES = {"2.2.1": NEWER, "2.2": (*NEWER, *OLDER)}

LENIENT = {("CdrLocation", "evse_id"): ["CiString(48)", "?"]}
"""Where we ask for less than the tables: an EVSE may have no evse_id to put into its CDRs."""


def vocabulary(version: str, kind: type) -> dict[str, Any]:
    """Collect the classes or enums of a version by their names, later files winning."""
    return {
        name: value
        for file in FILES[version]
        for name, value in vars(file).items()
        if isinstance(value, type) and issubclass(value, kind) and value is not kind
    }


def spelled(hint: Any) -> str:
    """Spell a type as the tables do."""
    if get_origin(hint) is not Annotated:
        return str(hint.__name__)
    name, limit = str(get_args(hint)[0].__name__), ""
    for marker in hint.__metadata__:
        match marker:
            case Scalar(kind):
                name = kind
            case Length(number) | Digits(number):
                limit = f"({number})"
            case RoutingKey(number):
                name, limit = "CiString", f"({number})"
    return name if name == "URL" else name + limit


def described(hint: Any) -> list[str]:
    """Describe a field as the tables do: type and cardinality."""
    if get_origin(hint) is Annotated and get_origin(get_args(hint)[0]) in (Union, UnionType):
        hint = get_args(hint)[0]  # a rule that concerns other fields, too
    optional = get_origin(hint) in (Union, UnionType)
    if optional:
        hint = get_args(hint)[0]
    markers = hint.__metadata__ if get_origin(hint) is Annotated else ()
    items = get_args(hint)[0] if markers else hint
    if get_origin(items) is list:
        return [spelled(get_args(items)[0]), "+" if MinLen(1) in markers else "*"]
    return [spelled(hint), "?" if optional else "1"]


def mentioned(hint: Any) -> set[type]:
    """List every class and enum a type is made of."""
    if isinstance(hint, type) and issubclass(hint, OcpiModel | OcpiEnum):
        return {hint}
    return set().union(*(mentioned(part) for part in get_args(hint)))


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> dict[str, tables.Tables]:
    """Take the tables from each place that has them."""
    return SOURCES[request.param]


@pytest.mark.parametrize("version", tables.VERSIONS)
def test_classes_have_the_fields_of_their_tables(
    source: dict[str, tables.Tables], version: str
) -> None:
    """Name, type, length and cardinality of every field are those of the specification."""
    classes = vocabulary(version, OcpiModel)

    tabled = {
        name: {field: LENIENT.get((name, field), stated) for field, stated in fields.items()}
        for name, fields in source[version].classes.items()
    }
    ours = {
        name: {
            field: described(hint)
            for field, hint in get_type_hints(classes[name], include_extras=True).items()
            if field in classes[name].model_fields
        }
        for name in source[version].classes
    }

    assert tabled == ours


@pytest.mark.parametrize("version", tables.VERSIONS)
def test_enums_have_the_values_of_their_tables(
    source: dict[str, tables.Tables], version: str
) -> None:
    """Every enum has exactly the values of the specification."""
    enums = vocabulary(version, OcpiEnum)

    ours = {name: set(enums[name]) for name in source[version].enums}

    assert {name: set(values) for name, values in source[version].enums.items()} == ours


@pytest.mark.parametrize("version", tables.VERSIONS)
def test_every_class_has_a_table(source: dict[str, tables.Tables], version: str) -> None:
    """Nothing stands in these chapters that the specification does not define."""
    ours = vocabulary(version, OcpiModel).keys() | vocabulary(version, OcpiEnum).keys()

    assert source[version].classes.keys() | source[version].enums.keys() == ours


@pytest.mark.parametrize("version", tables.VERSIONS)
def test_a_version_is_made_of_its_own_classes(version: str) -> None:
    """A class never refers to the class or enum of the same name in another version."""
    classes, enums = vocabulary(version, OcpiModel), vocabulary(version, OcpiEnum)

    for model in classes.values():
        for hint in get_type_hints(model, include_extras=True).values():
            for part in mentioned(hint):
                assert part is (classes | enums)[part.__name__]


def test_optional_means_that_it_may_be_left_out() -> None:
    """A field is required exactly where the type does not allow its absence."""
    for version in tables.VERSIONS:
        for model in vocabulary(version, OcpiModel).values():
            for name, hint in get_type_hints(model, include_extras=True).items():
                if name in model.model_fields:
                    required = described(hint)[1] in {"1", "+"}
                    assert required == model.model_fields[name].is_required()


def test_classes_of_another_version_keep_their_docstrings() -> None:
    """A revised class reads like the one it restates."""
    assert v2_2_1.locations.Location.__doc__ == v2_2.locations.Location.__doc__
