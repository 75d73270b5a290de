"""The versions spoken here, and how two sides agree on one."""

import pytest

from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import VERSIONS, latest_mutual


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
