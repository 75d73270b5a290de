"""Declarations: how a path finds its resource, and how a version restates another."""

from typing import Annotated

import pytest

from ocpi.modules import GET, PUT, Interface, Kind, Resource
from ocpi.revisions import lacking, revised
from ocpi.types import InterfaceRole, Length, OcpiModel, Role, String

SESSIONS = Interface(
    InterfaceRole.SENDER,
    (
        Resource((), GET, Kind.LIST),
        Resource(("{session_id}", "charging_preferences"), PUT, Kind.ACTION),
    ),
)


class Car(OcpiModel):
    """A vehicle."""

    plate: Annotated[String, Length(10)]
    owner: Annotated[String, Length(5)] | None = None
    colour: Annotated[String, Length(5)]


def test_a_path_finds_its_resource_and_values() -> None:
    """Steps in braces take what stands there, words have to be the same."""
    found = SESSIONS.match(["S1", "charging_preferences"])

    assert found is not None
    assert found.values == {"session_id": "S1"}
    assert found.resource.methods == {"PUT"}
    assert SESSIONS.match(()) is not None


@pytest.mark.parametrize("segments", [("S1",), ("S1", "x"), ("S1", "charging_preferences", "x")])
def test_a_path_that_is_not_declared_leads_nowhere(segments: tuple[str, ...]) -> None:
    """There is no resource but the declared ones."""
    assert SESSIONS.match(segments) is None
    assert SESSIONS.allowed(segments) == ()


def test_allowed_methods_are_those_of_the_resource() -> None:
    """What a path answers to is declared, for the Allow header of a 405."""
    assert SESSIONS.allowed(()) == ("GET",)
    assert SESSIONS.allowed(("S1", "charging_preferences")) == ("PUT",)


def test_a_revised_class_drops_changes_and_keeps() -> None:
    """What is not mentioned is as it was, and where it was."""
    bike = revised(
        Car,
        drop=("plate",),
        owner=Annotated[String, Length(7)],
        colour=Annotated[String, Length(5)] | None,
    )

    assert list(bike.model_fields) == ["owner", "colour"]
    assert bike.model_fields["owner"].is_required()
    assert not bike.model_fields["colour"].is_required()
    assert (bike.__name__, bike.__doc__) == ("Car", "A vehicle.")


def test_an_enum_may_lack_values() -> None:
    """An older version has fewer values under the same names."""
    older = lacking(Role, "NAP", "SCSP")

    assert list(older) == ["CPO", "EMSP", "HUB", "NSP", "OTHER"]
    assert older.__name__ == "Role"
