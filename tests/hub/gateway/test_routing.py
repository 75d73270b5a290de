"""The routing table: every row of `hub.gateway.routing`, without a database or a socket."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from hub.gateway.routes import Broadcast, Destination, Direct, Kept, Open, Refused, Stored
from hub.gateway.routing import decide
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from tests.cast import HUB, MIX, MSA

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
LOCATIONS, TOKENS = ModuleID.LOCATIONS, ModuleID.TOKENS
SESSIONS, CDRS = ModuleID.SESSIONS, ModuleID.CDRS
COMMANDS, PROFILES = ModuleID.COMMANDS, ModuleID.CHARGINGPROFILES
METHODS = ("GET", "PUT", "PATCH", "POST", "DELETE")
THERE = Destination(
    ref=MSA,
    role=Role.EMSP,
    platform_id=2,
    connected=True,
    status="CONNECTED",
    endpoint="https://msa.example/locations",
)


@dataclass(frozen=True)
class Address:
    """What of a message decides its route."""

    method: str
    module: ModuleID
    interface: InterfaceRole
    to: PartyRef | None
    is_list: bool = False
    kept: Kept = Kept.FOR_ALL
    sender: PartyRef | None = None
    is_posted: bool = False
    is_result: bool = False


@dataclass(frozen=True)
class Known:
    """A directory of what a test says is known."""

    known: tuple[Destination, ...] = ()
    hub: PartyRef = HUB

    def destinations(
        self, ref: PartyRef, module: ModuleID, interface: InterfaceRole
    ) -> Sequence[Destination]:
        """Return those of the party."""
        return [one for one in self.known if one.ref == ref]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("interface, role", [(RECEIVER, Role.EMSP), (SENDER, Role.CPO)])
def test_addressed_to_a_party_is_direct(method: str, interface: InterfaceRole, role: Role) -> None:
    """TO is a party: whatever the method, forward (A-22)."""
    there = replace(THERE, role=role)

    for is_list in (True, False):
        for kept in Kept:
            address = Address(method, LOCATIONS, interface, MSA, is_list, kept)
            assert decide(address, Known((there,))) == Direct(there)


@pytest.mark.parametrize(
    "to, interface, method, is_list, expected",
    [
        (HUB, RECEIVER, "PUT", False, Broadcast()),
        (HUB, RECEIVER, "PATCH", False, Broadcast()),
        (HUB, RECEIVER, "POST", False, Broadcast()),
        (HUB, RECEIVER, "DELETE", False, Broadcast()),
        (HUB, RECEIVER, "GET", False, Stored()),
        (HUB, SENDER, "GET", False, Stored()),
        (HUB, SENDER, "GET", True, Stored()),
        (HUB, SENDER, "PUT", False, Open()),
        (None, RECEIVER, "PUT", False, Broadcast()),
        (None, RECEIVER, "PATCH", False, Broadcast()),
        (None, RECEIVER, "POST", False, Broadcast()),
        (None, RECEIVER, "DELETE", False, Broadcast()),
        (None, RECEIVER, "GET", False, Stored()),
        (None, SENDER, "GET", True, Stored()),
        (None, SENDER, "GET", False, Open()),
        (None, SENDER, "PUT", False, Open()),
        (None, SENDER, "POST", False, Open()),
        (None, SENDER, "DELETE", False, Open()),
    ],
)
def test_without_a_party_method_and_interface_decide(
    to: PartyRef | None,
    interface: InterfaceRole,
    method: str,
    is_list: bool,  # noqa: FBT001 - a column of the table
    expected: object,
) -> None:
    """TO is the hub or nobody: every row of the table (A-22, A-23, A-35)."""
    assert decide(Address(method, LOCATIONS, interface, to, is_list), Known()) == expected


@pytest.mark.parametrize(
    "to, interface, method, is_list, expected",
    [
        (HUB, RECEIVER, "PUT", False, Broadcast()),
        (HUB, RECEIVER, "PATCH", False, Broadcast()),
        (HUB, RECEIVER, "POST", True, Broadcast()),
        (HUB, RECEIVER, "GET", False, Stored()),
        (HUB, SENDER, "GET", True, Stored()),
        (HUB, SENDER, "GET", False, Stored()),
        (HUB, SENDER, "PUT", False, Open()),
        (None, RECEIVER, "PUT", False, Open()),
        (None, RECEIVER, "PATCH", False, Open()),
        (None, RECEIVER, "POST", True, Open()),
        (None, RECEIVER, "GET", False, Stored()),
        (None, SENDER, "GET", True, Stored()),
        (None, SENDER, "GET", False, Open()),
        (None, SENDER, "PUT", False, Open()),
    ],
)
def test_what_is_personal_finds_its_one_reader(
    to: PartyRef | None,
    interface: InterfaceRole,
    method: str,
    is_list: bool,  # noqa: FBT001 - a column of the table
    expected: object,
) -> None:
    """Sessions and CDRs: to the hub stored for that party, to nobody passed on to it (A-26)."""
    for module in (SESSIONS, CDRS):
        address = Address(method, module, interface, to, is_list, Kept.FOR_ONE)
        assert decide(address, Known()) == expected


@pytest.mark.parametrize("to", [HUB, PartyRef("nl", "hub"), None])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_kept_is_for_one_party(to: PartyRef | None, method: str) -> None:
    """Commands and profiles: neither stored nor ever fanned out (A-35, A-110, CMD-21)."""
    for module in (COMMANDS, PROFILES):
        for interface in (SENDER, RECEIVER):
            for is_list in (True, False):
                address = Address(method, module, interface, to, is_list, Kept.NOTHING)
                assert decide(address, Known()) == Open()


def test_the_hub_is_itself_in_any_spelling() -> None:
    """TO nl-hub is TO NL-HUB: never looked up as a party (TF-60)."""
    there = replace(THERE, ref=HUB)

    address = Address("PUT", LOCATIONS, RECEIVER, PartyRef("nl", "Hub"))

    assert decide(address, Known((there,))) == Broadcast()


OPEN_DATA = ({Role.CPO, Role.NAP}, {Role.EMSP, Role.NSP, Role.NAP, Role.OTHER})
DRIVERS = {Role.EMSP, Role.OTHER}
ROLES_OF: dict[ModuleID, tuple[set[Role], set[Role]]] = {
    LOCATIONS: OPEN_DATA,
    ModuleID.TARIFFS: OPEN_DATA,
    TOKENS: (DRIVERS, {Role.CPO}),
    SESSIONS: ({Role.CPO, Role.EMSP}, {*DRIVERS, Role.SCSP}),
    CDRS: ({Role.CPO}, DRIVERS),
    COMMANDS: (DRIVERS, {Role.CPO}),
    PROFILES: ({*DRIVERS, Role.SCSP}, {Role.CPO, Role.EMSP}),
}
"""Who is called at the SENDER and at the RECEIVER interface of each module; hubs at all.

An eMSP is in a CPO's place where it lets an SCSP steer (CP-10).
"""


@pytest.mark.conformance("TF-84")
@pytest.mark.parametrize("module", ROLES_OF)
@pytest.mark.parametrize("role", Role)
def test_a_role_is_called_where_it_has_an_interface(module: ModuleID, role: Role) -> None:
    """Every role at every interface: direct, or 4000 that names role and interface (A-28, A-30)."""
    there = replace(THERE, role=role)

    for interface, roles in zip((SENDER, RECEIVER), ROLES_OF[module], strict=True):
        route = decide(Address("PUT", module, interface, MSA), Known((there,)))

        if role in {*roles, Role.HUB}:
            assert route == Direct(there)
        else:
            assert isinstance(route, Refused)
            assert route.error.status_code == 4000
            text = str(route.error)
            assert all(word in text for word in ("DE-MSA", role.value, interface, module)), text


@pytest.mark.parametrize(
    "change, status_code, says",
    [
        ({"role": Role.CPO}, 4000, ["DE-MSA", "CPO", "RECEIVER", "locations"]),
        ({"role": Role.SCSP}, 4000, ["SCSP"]),
        ({"connected": False, "status": "OFFLINE"}, 4003, ["DE-MSA", "OFFLINE"]),
        ({"connected": False, "status": "PLANNED"}, 4003, ["PLANNED"]),
        ({"connected": False, "status": "SUSPENDED", "endpoint": None}, 4003, ["SUSPENDED"]),
        ({"circuit_seconds": 7}, 4003, ["DE-MSA", "did not answer", "7 s"]),
        ({"pause_seconds": 7}, 4000, ["DE-MSA", "throttles", "7 s"]),
        (
            {"status": "OFFLINE", "connected": False, "circuit_seconds": 1, "pause_seconds": 1},
            4003,
            ["OFFLINE"],
        ),
        ({"circuit_seconds": 7, "pause_seconds": 9, "endpoint": None}, 4003, ["7 s"]),
        ({"pause_seconds": 9, "endpoint": None}, 4000, ["throttles"]),
        ({"endpoint": None}, 4000, ["DE-MSA", "RECEIVER", "locations"]),
    ],
)
def test_a_party_that_cannot_be_reached_is_refused_with_the_reason(
    change: dict[str, object], status_code: int, says: list[str]
) -> None:
    """Each obstacle has its code, and a sentence that names what is in the way."""
    there = replace(THERE, **change)  # type: ignore[arg-type]  # a column of the table

    route = decide(Address("PUT", LOCATIONS, RECEIVER, MSA), Known((there,)))

    assert isinstance(route, Refused)
    assert (route.error.status_code, route.error.http_status) == (status_code, 200)
    assert all(word in str(route.error) for word in says), str(route.error)


def test_nobody_by_that_name_is_4001() -> None:
    """An unknown TO is 4001 and tells which headers to check."""
    route = decide(Address("PUT", LOCATIONS, RECEIVER, PartyRef("xx", "zzz")), Known((THERE,)))

    assert isinstance(route, Refused)
    assert route.error.status_code == 4001
    assert "XX-ZZZ" in str(route.error)
    assert "OCPI-to-party-id" in str(route.error)


def test_the_platform_is_chosen_by_the_role_the_interface_implies() -> None:
    """One name, two platforms: module and interface tell which role is meant (TF-84, A-30)."""
    cpo = replace(THERE, ref=MIX, role=Role.CPO, platform_id=1)
    emsp = replace(THERE, ref=MIX, role=Role.EMSP, platform_id=2)

    for known in ((cpo, emsp), (emsp, cpo)):
        for module, interface, expected in (
            (LOCATIONS, SENDER, cpo),
            (LOCATIONS, RECEIVER, emsp),
            (TOKENS, RECEIVER, cpo),
            (TOKENS, SENDER, emsp),
        ):
            address = Address("GET", module, interface, MIX)
            assert decide(address, Known(known)) == Direct(expected)


def test_of_two_fitting_roles_the_one_that_can_be_reached_is_chosen() -> None:
    """A party that is eMSP and NSP on two platforms is reached where it is connected."""
    offline = replace(THERE, connected=False, status="OFFLINE")
    without = replace(THERE, role=Role.OTHER, endpoint=None, platform_id=3)
    reached = replace(THERE, role=Role.NSP, platform_id=4)

    route = decide(Address("PUT", LOCATIONS, RECEIVER, MSA), Known((offline, without, reached)))

    assert route == Direct(reached)


def test_of_two_connected_roles_the_one_with_the_endpoint_is_chosen() -> None:
    """An eMSP that offers no such endpoint, and OTHER on a platform that does."""
    without = replace(THERE, endpoint=None)
    offering = replace(THERE, role=Role.OTHER, platform_id=3)

    for known in ((without, offering), (offering, without)):
        assert decide(Address("PUT", LOCATIONS, RECEIVER, MSA), Known(known)) == Direct(offering)
