"""One country code and party id at two platforms, in every pair of roles: neither is the other.

Spec: 2.2.1 credentials, CredentialsRole class; A-30. One company with its CPO at one vendor and its
eMSP at another is the normal case. Here two vendors have one key each for every pair of roles, and
the party at the first vendor alone has agreements: what passes is what its own role may.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest

from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from ocpi.versions import known_modules
from parties.agreements import set_state
from parties.models import AgreementState, Party
from parties.role_pairs import AGREEING_ROLES, all_pairs
from sandbox import Result, SandboxPlatform
from tests import cast as casting
from tests.cast import CPA, HUB, MSA, Cast
from tests.hub.gateway.commands import PROFILE
from tests.ocpi.objects import a_cdr, a_session, a_tariff, a_token, location

pytestmark = [pytest.mark.security("S-10"), pytest.mark.conformance("TF-84")]

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
ROLES = (Role.CPO, Role.EMSP, Role.NSP, Role.NAP, Role.SCSP, Role.OTHER)
KEYS = {pair: PartyRef("YY", f"K{number:02}") for number, pair in enumerate(permutations(ROLES, 2))}
"""The key of each pair of roles: the first at vendor A, with agreements, the second at vendor B."""
MODULES = [name for name in known_modules() if all_pairs(name)]
PARTNERS = {CPA: Role.CPO, MSA: Role.EMSP}
OWN = {"locations": location, "tariffs": a_tariff, "tokens": a_token, "sessions": a_session}
NAMES = {"tokens": "uid"}
LATER = "2027-01-01T00:00:00Z"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One message of one module, addressed to a party."""

    module: ModuleID
    interface: InterfaceRole
    method: str
    path: str = ""
    body: Json | None = None


@dataclass(frozen=True, slots=True)
class Vendors:
    """Two platforms that share every key, the partners, and who may what."""

    cast: Cast

    def platform(self, vendor: str) -> SandboxPlatform:
        """Return vendor A's platform, or B's."""
        return self.cast[f"vendor {vendor}"]

    def partner(self, ref: PartyRef) -> SandboxPlatform:
        """Return a partner's platform."""
        return self.cast["P1" if ref == CPA else "P2"]

    def send(self, vendor: str, key: PartyRef, cell: Cell, to: PartyRef | None) -> Result:
        """Send a message in the name of a vendor's party."""
        return self.platform(vendor).hub.send(
            cell.method, cell.module, cell.interface, cell.path, cell.body, to=to, sender=key
        )


@pytest.fixture
def vendors(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Vendors:
    """Register both vendors and the partners; the first vendor's parties agree with both."""
    for vendor, side in (("A", 0), ("B", 1)):
        named = [(pair[side].value, ref.country_code, ref.party_id) for pair, ref in KEYS.items()]
        monkeypatch.setitem(casting.ROLES, f"vendor {vendor}", named)
        assert cast[f"vendor {vendor}"]
    assert all(cast[name] for name in ("P1", "P2"))
    partners = [Party.objects.get(key=str(ref), role=role) for ref, role in PARTNERS.items()]
    for party in Party.objects.filter(platform__name="vendor A"):
        for partner in partners:
            pair = (
                (party, partner)
                if (party.role, partner.role) in AGREEING_ROLES
                else (partner, party)
            )
            if (Role(pair[0].role), Role(pair[1].role)) in AGREEING_ROLES:
                set_state(*pair, state=AgreementState.ACTIVE)
    for name in ("P1", "P2"):
        cast[name].forget()
    return Vendors(cast)


def may(role: Role, cell: Cell, partner: Role) -> bool:
    """Say whether the specification lets a role send a message to another (A-28)."""
    owner_calls = cell.interface is RECEIVER
    return ((role, partner) if owner_calls else (partner, role)) in all_pairs(cell.module)


def mine(module: str, key: PartyRef, identifier: str = "X1", **changes: object) -> Json:
    """Make an object of a party."""
    named = {NAMES.get(module, "id"): identifier}
    return OWN[module](country_code=key.country_code, party_id=key.party_id, **named, **changes)


def commands(key: PartyRef, url: str) -> list[Cell]:
    """Return every command as a party sends it."""
    asks = {"response_url": url}
    token = a_token(country_code=key.country_code, party_id=key.party_id)
    start = {**asks, "token": token, "location_id": "L1"}
    unlock = {**asks, "location_id": "L1", "evse_uid": "E", "connector_id": "1"}
    bodies: dict[str, Json] = {
        "START_SESSION": start,
        "RESERVE_NOW": {**start, "reservation_id": "R", "expiry_date": LATER},
        "STOP_SESSION": {**asks, "session_id": "S1"},
        "CANCEL_RESERVATION": {**asks, "reservation_id": "R"},
        "UNLOCK_CONNECTOR": unlock,
    }
    return [Cell(ModuleID.COMMANDS, RECEIVER, "POST", *each) for each in bodies.items()]


def profiles(url: str) -> list[Cell]:
    """Return every request about a charging profile, and what a CPO sends of an active one."""
    module, query = ModuleID.CHARGINGPROFILES, f"S1?response_url={url}"
    return [
        Cell(module, RECEIVER, "PUT", "S1", {**PROFILE, "response_url": url}),
        Cell(module, RECEIVER, "GET", f"{query}&duration=900"),
        Cell(module, RECEIVER, "DELETE", query),
        Cell(module, SENDER, "PUT", "S1", {**PROFILE, "start_date_time": LATER}),
    ]


def cdrs(key: PartyRef) -> list[Cell]:
    """Return what there is to do with CDRs."""
    posted = a_cdr(country_code=key.country_code, party_id=key.party_id)
    return [Cell(ModuleID.CDRS, RECEIVER, "POST", "", posted), Cell(ModuleID.CDRS, SENDER, "GET")]


def objects(module: ModuleID, key: PartyRef) -> list[Cell]:
    """Return every method of the objects of a party, and of those it comes for."""
    path = f"{key.country_code}/{key.party_id}/X1"
    change = ("DELETE", path) if module == ModuleID.TARIFFS else ("PATCH", path, STAMP)
    return [
        Cell(module, RECEIVER, "PUT", path, mine(module, key)),
        Cell(module, RECEIVER, "GET", path),
        Cell(module, RECEIVER, *change),
        Cell(module, SENDER, "GET"),
        *BESIDES.get(module, ()),
    ]


STAMP = {"last_updated": LATER}
BESIDES = {
    ModuleID.LOCATIONS: [
        Cell(ModuleID.LOCATIONS, SENDER, "GET", "L1"),
        Cell(ModuleID.LOCATIONS, SENDER, "GET", "L1/E1"),
    ],
    ModuleID.TOKENS: [Cell(ModuleID.TOKENS, SENDER, "POST", "U1/authorize", {"location_id": "L1"})],
    ModuleID.SESSIONS: [
        Cell(
            ModuleID.SESSIONS,
            SENDER,
            "PUT",
            "S1/charging_preferences",
            {"profile_type": "GREEN"},
        )
    ],
}


def direct(module: ModuleID, key: PartyRef, origin: str) -> list[Cell]:
    """Return every method of every resource of a module, as a party sends it."""
    url = f"{origin}/results/1"
    if module == ModuleID.COMMANDS:
        return commands(key, url)
    if module == ModuleID.CHARGINGPROFILES:
        return profiles(url)
    return cdrs(key) if module == ModuleID.CDRS else objects(module, key)


@pytest.mark.timeout(240)
def test_what_is_addressed_to_a_party_passes_in_ones_own_role_alone(vendors: Vendors) -> None:
    """Every method of every module, by both vendors in every pair of roles: only as agreed.

    Each cell is sent to the partner with which the key has an agreement at vendor A; what a role
    may there does not depend on who has its key at vendor B, so that it is asked once.
    """
    wrong, agreed = [], dict[Role, PartyRef]()
    for (role, other), key in KEYS.items():
        to = MSA if role is Role.CPO else CPA
        for vendor in ("A", "B") if agreed.setdefault(role, key) is key else ("B",):
            origin = vendors.platform(vendor).addresses.origin
            for cell in (cell for module in MODULES for cell in direct(module, key, origin)):
                vendors.partner(to).forget()
                result = vendors.send(vendor, key, cell, to)
                expected = vendor == "A" and may(role, cell, PARTNERS[to])
                if bool(vendors.partner(to).seen) is not expected:
                    wrong.append((vendor, role, other, cell, str(result)))
    assert not wrong, wrong[:5]


@pytest.mark.timeout(240)
def test_a_list_has_what_ones_own_role_may_see(
    vendors: Vendors, deliver_all: Callable[[], int]
) -> None:
    """What partners push for everybody, or the key alone, is read and got by one of the two."""
    for module in KEPT:
        for value in objects_of(module):
            result = push(vendors, module, value)
            assert result.status_code == 1000, str(result)
    for vendor in ("A", "B"):
        vendors.platform(vendor).forget()
    deliver_all()

    for module in KEPT:
        cell = Cell(ModuleID(module), SENDER, "GET")
        for (role, _), key in KEYS.items():
            assert len(vendors.send("A", key, cell, HUB).data) == reads(role, module), (role, key)
            assert vendors.send("B", key, cell, HUB).data == [], (role, key)
        assert got(vendors, "A", module) == {
            key.party_id for (role, _), key in KEYS.items() if reads(role, module)
        }
        assert got(vendors, "B", module) == set()


KEPT = ("tariffs", "locations", "tokens", "sessions", "cdrs")
PERSONAL = {"sessions": a_session, "cdrs": a_cdr}


def objects_of(module: str) -> list[Json]:
    """Return what a partner pushes of a module: one object for all, or one for each key."""
    if module not in PERSONAL:
        return [mine(module, MSA if module == "tokens" else CPA)]
    found = []
    for (role, _), key in KEYS.items():
        if reads(role, module):
            value = PERSONAL[module](id=f"{key.party_id}X")
            value["cdr_token"] |= {"country_code": key.country_code, "party_id": key.party_id}
            found.append(value)
    return found


def got(vendors: Vendors, vendor: str, module: str) -> set[str]:
    """Return the parties that were pushed something of a module at a vendor."""
    seen = [each for each in vendors.platform(vendor).seen if each.method != "GET"]
    return {each.headers["OCPI-to-party-id"] for each in seen if f"/{module}" in each.path}


def reads(role: Role, module: str) -> bool:
    """Say whether a party of this role reads what its partner has for it."""
    owner = Role.EMSP if module == "tokens" else Role.CPO
    to_it = may(role, Cell(ModuleID(module), SENDER, "GET"), owner)
    return to_it and (module not in PERSONAL or role in {Role.EMSP, Role.OTHER})


def push(vendors: Vendors, module: str, value: Json) -> Result:
    """Push an object of a partner to the hub."""
    owner = PartyRef(value["country_code"], value["party_id"])
    hub = vendors.partner(owner).hub
    if module == "cdrs":
        return hub.post(module, "RECEIVER", body=value, to=HUB, sender=owner)
    name = value[NAMES.get(module, "id")]
    path = f"{owner.country_code}/{owner.party_id}/{name}"
    return hub.put(module, "RECEIVER", path, value, to=HUB, sender=owner)
