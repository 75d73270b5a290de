"""The declaration of the locations module, in both versions that have it."""

import pytest

from ocpi.errors import UnknownLocation
from ocpi.modules import OWNED, Module, ObjectType
from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import VERSIONS


@pytest.fixture(params=VERSIONS)
def module(request: pytest.FixtureRequest) -> Module:
    """Take the module of every version."""
    return VERSIONS[request.param].modules[ModuleID.LOCATIONS]


@pytest.mark.parametrize(
    "path, values",
    [
        ((), {}),
        (("L1",), {"location_id": "L1"}),
        (("L1", "E1"), {"location_id": "L1", "evse_uid": "E1"}),
        (("L1", "E1", "1"), {"location_id": "L1", "evse_uid": "E1", "connector_id": "1"}),
    ],
)
def test_senders_are_read(module: Module, path: tuple[str, ...], values: dict[str, str]) -> None:
    """The owner of Locations offers a list and every object, to be read."""
    interface = module.interfaces[InterfaceRole.SENDER]
    found = interface.match(path)

    assert found is not None
    assert values == found.values
    assert interface.allowed(path) == ("GET",)


@pytest.mark.parametrize("path", ["L1", "L1/E1", "L1/E1/1"])
def test_receivers_are_written(module: Module, path: str) -> None:
    """Client Owned Objects are read and written under their owner."""
    interface = module.interfaces[InterfaceRole.RECEIVER]
    found = interface.match(["NL", "CPA", *path.split("/")])

    assert found is not None
    assert found.values["country_code"] == "NL"
    assert found.values["party_id"] == "CPA"
    assert found.values["location_id"] == "L1"
    assert found.resource.methods == {"GET", "PUT", "PATCH"}


@pytest.mark.parametrize("path", ["", "NL", "NL/CPA", "NL/CPA/L1/E1/1/x"])
def test_receivers_have_no_list(module: Module, path: str) -> None:
    """There is nothing under the owner alone, nor below a Connector."""
    assert module.interfaces[InterfaceRole.RECEIVER].match(path.split("/")) is None


def test_a_location_has_evses_that_have_connectors(module: Module) -> None:
    """Each part is addressed by its own id and checked by its own class."""
    named: list[tuple[str, str, str | None]] = []
    kind: ObjectType | None = module.kept
    while kind:
        assert kind.unknown is UnknownLocation
        assert kind.patch_needs_last_updated
        assert kind.name == kind.model.__name__
        assert kind.id_field in kind.model.model_fields
        named.append((kind.name, kind.id_field, kind.part.member if kind.part else None))
        kind = kind.part.object if kind.part else None

    assert named == [
        ("Location", "id", "evses"),
        ("EVSE", "uid", "connectors"),
        ("Connector", "id", None),
    ]


def test_locations_are_functional_and_client_owned(module: Module) -> None:
    """Locations carry routing headers, and their owner in the URL."""
    assert module.functional
    assert all(each.path[:2] == OWNED for each in module.receiver)
