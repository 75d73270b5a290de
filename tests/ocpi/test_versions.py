"""The versions spoken here, and how two sides agree on one."""

from collections.abc import Iterable
from typing import Any

import pytest

from ocpi.types import InterfaceRole, ModuleID, OcpiEnum, OcpiModel
from ocpi.versions import VERSIONS, known_modules, latest_mutual, values_of


@pytest.mark.parametrize(
    "offered, agreed",
    [
        (["2.2", "2.2.1"], "2.2.1"),
        (["2.2.1", "2.2"], "2.2.1"),
        (["2.2", "3.0"], "2.2"),
        (["2.0", "2.1.1"], None),
        ([], None),
    ],
)
def test_the_newest_version_both_speak_is_used(offered: list[str], agreed: str | None) -> None:
    """Of the versions both speak, by exact number, the latest is picked."""
    version = latest_mutual(offered)

    assert agreed == (version and version.number)


@pytest.mark.parametrize("number", VERSIONS)
def test_versions_are_known_by_their_number(number: str) -> None:
    """A version's number and its place in the list are one fact."""
    assert number == VERSIONS[number].number


@pytest.mark.parametrize("number", VERSIONS)
def test_credentials_are_a_configuration_module(number: str) -> None:
    """Credentials are announced once, as SENDER, and have all their methods."""
    module = VERSIONS[number].modules[ModuleID.CREDENTIALS]

    assert not module.functional
    assert list(module.interfaces) == [InterfaceRole.SENDER]
    assert module.interfaces[InterfaceRole.SENDER].allowed(()) == ("DELETE", "GET", "POST", "PUT")


@pytest.mark.parametrize("number", VERSIONS)
def test_modules_are_keyed_by_what_they_declare(number: str) -> None:
    """The keys of a version are the identifiers and roles of its modules."""
    for identifier, module in VERSIONS[number].modules.items():
        assert identifier is module.identifier
        for role, interface in module.interfaces.items():
            assert role is interface.role


def test_what_an_enum_may_say_is_said_by_all_versions() -> None:
    """The newest first, then what only older ones have; of parts by the class of the parts."""
    assert values_of(ModuleID.TOKENS, "type") == ["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]
    assert values_of(ModuleID.TARIFFS, "type")[0] == "AD_HOC_PAYMENT"
    assert "CHARGING" in values_of(ModuleID.LOCATIONS, "status", of_part=True)
    assert values_of(ModuleID.COMMANDS, "type") == []


@pytest.mark.parametrize("number", VERSIONS)
def test_a_version_says_how_it_is_read(number: str) -> None:
    """The classes of version lists, details, credentials and client info are its own.

    They name the version itself, and none that came later.
    """
    version = VERSIONS[number]

    assert version.listed.__name__ == "Version"
    newer = [*VERSIONS][[*VERSIONS].index(number) + 1 :]
    for model in (version.listed, version.details):
        named = {str(each) for each in _enum_of(model)}
        assert number in named
        assert named.isdisjoint(newer)
    assert version.credentials.__name__ == "Credentials"
    assert version.client_info.__name__ == "ClientInfo"


def _enum_of(model: type[OcpiModel]) -> Iterable[OcpiEnum]:
    kind: Any = model.model_fields["version"].annotation
    return list(kind)


def test_modules_are_known_by_name() -> None:
    """Functional or not, of any version, in alphabetical order."""
    every = known_modules()
    assert every == sorted(every)
    assert {*every} - {*known_modules(functional=True)} == {"credentials", "hubclientinfo"}
