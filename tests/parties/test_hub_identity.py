"""What the hub announces about itself."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ocpi.transport.authorization import header
from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import VERSIONS, known_modules
from parties import hub_identity
from parties.authentication import identify
from parties.models import Credentials, Platform
from sandbox.platform import SandboxPlatform
from tests.parties.wire import Wire, code, invited


@pytest.mark.conformance("VER-01")
def test_lists_every_version_with_an_absolute_url_that_answers(wire: Wire) -> None:
    """The versions endpoint lists {version, url} of each supported version."""
    token = invited().token
    listed = wire.get(token=token).json()["data"]
    assert [entry["version"] for entry in listed] == list(VERSIONS)
    for entry in listed:
        assert entry["url"].startswith("http")
        path = entry["url"].partition("/ocpi/")[2]
        assert code(wire.get(path, token=token)) == (200, 1000)


@pytest.mark.conformance("VER-02", "VER-04", "VER-05", "VER-08", "VER-10")
@pytest.mark.parametrize("version", list(VERSIONS))
def test_details_announce_each_interface_under_a_url_of_its_own(wire: Wire, version: str) -> None:
    """Details list identifier, role and url; credentials once, as SENDER; standard modules only."""
    details = wire.get(version, token=invited().token).json()["data"]
    assert details["version"] == version
    endpoints = details["endpoints"]
    assert [e for e in endpoints if e["identifier"] == "credentials"] == [
        {
            "identifier": "credentials",
            "role": "SENDER",
            "url": wire.versions_url.replace("versions", f"{version}/credentials"),
        }
    ]
    assert {e["identifier"] for e in endpoints} <= {*known_modules()}
    assert {e["role"] for e in endpoints} <= {str(role) for role in InterfaceRole}
    urls = [e["url"] for e in endpoints]
    assert len(urls) == len(set(urls))


def test_announces_both_sides_of_every_functional_module_it_declares() -> None:
    """What is announced is derived from the declarations."""
    for version in VERSIONS.values():
        served = set(hub_identity.served_modules(version))
        assert (ModuleID.LOCATIONS, InterfaceRole.SENDER) in served
        assert (ModuleID.LOCATIONS, InterfaceRole.RECEIVER) in served
        assert {module for module, _ in served} == set(version.modules)


@pytest.mark.conformance("VER-03")
@pytest.mark.parametrize("version", list(VERSIONS))
def test_details_list_both_sides_of_seven_modules_and_client_info(wire: Wire, version: str) -> None:
    """Both interfaces of each Functional Module, SENDER of client info, and credentials."""
    endpoints = wire.get(version, token=invited().token).json()["data"]["endpoints"]
    found = [(each["identifier"], each["role"]) for each in endpoints]
    both = [name for name, role in found if role == "RECEIVER"]
    assert sorted(both) == sorted(
        ["cdrs", "chargingprofiles", "commands", "locations", "sessions", "tariffs", "tokens"]
    )
    senders = {name for name, role in found if role == "SENDER"}
    assert senders == {*both, "credentials", "hubclientinfo"}
    assert len(found) == 7 * 2 + 1 + 1


@pytest.mark.conformance("VER-06")
def test_opens_to_token_a_and_to_the_final_token_only(
    wire: Wire, registered: SandboxPlatform
) -> None:
    """Versions and details answer token A and token C; anybody else gets 401."""
    token_a = invited("EMSP:DE:MSA", name="P2").token
    for path in ("versions", "2.2.1"):
        assert code(wire.get(path, token=token_a)) == (200, 1000)
        assert code(wire.get(path, token=registered.hub.token)) == (200, 1000)
        assert wire.get(path, token="nobodys").status_code == 401


@pytest.mark.conformance("VER-07")
@pytest.mark.parametrize("path", ["9.9", "2.1.1", "9.9/credentials"])
def test_does_not_know_versions_it_does_not_offer(wire: Wire, path: str) -> None:
    """A version that is not offered is 404 with 3002, and says which ones are."""
    response = wire.get(path, token=invited().token)
    assert code(response) == (404, 3002)
    assert "2.2.1" in response.json()["status_message"]


@pytest.mark.conformance("VER-12")
def test_is_a_ping_without_effects(wire: Wire, registered: SandboxPlatform) -> None:
    """GET versions is used as a ping and changes nothing."""
    wire.get(token=registered.hub.token)
    before = list(Platform.objects.values()), list(Credentials.objects.values())
    for _ in range(100):
        assert wire.get(token=registered.hub.token).status_code == 200
    assert before == (list(Platform.objects.values()), list(Credentials.objects.values()))


def test_tells_the_platform_by_one_statement(registered: SandboxPlatform) -> None:
    """The common call costs its one prepared SELECT, which Django does not see, and no other."""
    authorization = header(registered.hub.token)
    identify(authorization, configuring=False)
    with CaptureQueriesContext(connection) as others:
        identify(authorization, configuring=False)
    assert list(others) == []


@pytest.mark.parametrize("path", ["versions/", "2.2.1/", "2.2.1/credentials/"])
def test_a_trailing_slash_changes_nothing(wire: Wire, path: str) -> None:
    """URLs are served with and without a trailing slash, never by a redirect (A-01)."""
    assert code(wire.get(path, token=invited().token)) == (200, 1000)
