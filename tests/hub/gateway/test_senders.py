"""Who speaks, where a message does not say so or says so wrongly: decided without a database.

Spec: 2.2.1 transport and format, message routing headers; A-33.
"""

import pytest

from hub.gateway.routing import sender_of
from ocpi.errors import InvalidParameters
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from tests.cast import CPA, CPB, MIX, MSA

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
LOCATIONS, TOKENS = ModuleID.LOCATIONS, ModuleID.TOKENS
SESSIONS, CDRS = ModuleID.SESSIONS, ModuleID.CDRS
COMMANDS, PROFILES = ModuleID.COMMANDS, ModuleID.CHARGINGPROFILES
P1 = [(Role.CPO, CPA), (Role.CPO, CPB)]
MIXED = [(Role.CPO, MIX), (Role.EMSP, MIX)]
BOTH_SIDES = [(Role.CPO, CPA), (Role.EMSP, MSA)]


@pytest.mark.parametrize(
    "named, parties, interface, expected",
    [
        (CPA, P1, RECEIVER, CPA),
        (CPB, P1, SENDER, CPB),
        (None, [(Role.EMSP, MSA)], SENDER, MSA),
        (None, [(Role.EMSP, MSA)], RECEIVER, MSA),
        (None, MIXED, SENDER, MIX),
        (None, BOTH_SIDES, RECEIVER, CPA),
        (None, BOTH_SIDES, SENDER, MSA),
        (MSA, BOTH_SIDES, RECEIVER, MSA),
    ],
)
def test_who_speaks_is_named_or_the_only_one_it_can_be(
    named: PartyRef | None,
    parties: list[tuple[Role, PartyRef]],
    interface: InterfaceRole,
    expected: PartyRef,
) -> None:
    """FROM must be the platform's; without it, the one party that uses this interface (A-33)."""
    assert sender_of(named, parties, LOCATIONS, interface) == expected


HB2 = PartyRef("NL", "HB2")
SECOND_HUB = [(Role.HUB, HB2), (Role.CPO, CPB), (Role.EMSP, MSA)]


@pytest.mark.parametrize(
    "module, interface, expected",
    [
        (COMMANDS, RECEIVER, MSA),
        (COMMANDS, SENDER, CPA),
        (PROFILES, RECEIVER, MSA),
        (PROFILES, SENDER, CPA),
        (TOKENS, RECEIVER, MSA),
        (TOKENS, SENDER, CPA),
        (SESSIONS, RECEIVER, CPA),
        (CDRS, SENDER, MSA),
    ],
)
def test_who_speaks_follows_from_the_module(
    module: ModuleID, interface: InterfaceRole, expected: PartyRef
) -> None:
    """Of a CPO and an eMSP on one platform, the one that calls this interface (A-33)."""
    assert sender_of(None, BOTH_SIDES, module, interface) == expected


def test_another_hub_has_to_say_for_whom_it_speaks() -> None:
    """It may speak for itself and for each party it carries, so FROM is required (TF-86)."""
    for _, ref in SECOND_HUB:
        assert sender_of(ref, SECOND_HUB, LOCATIONS, RECEIVER) == ref
    with pytest.raises(InvalidParameters):
        sender_of(None, SECOND_HUB, LOCATIONS, RECEIVER)
    with pytest.raises(InvalidParameters):
        sender_of(MIX, SECOND_HUB, LOCATIONS, RECEIVER)


@pytest.mark.parametrize(
    "named, parties, says",
    [
        (MSA, P1, ["DE-MSA", "NL-CPA or NL-CPB"]),
        (None, P1, ["OCPI-from-party-id", "NL-CPA or NL-CPB"]),
        (None, [], ["none"]),
        (CPA, [], ["NL-CPA", "none"]),
    ],
)
def test_a_doubtful_sender_is_told_who_it_can_be(
    named: PartyRef | None, parties: list[tuple[Role, PartyRef]], says: list[str]
) -> None:
    """2001, and the sentence names the parties that would be right (TF-81, TF-82)."""
    with pytest.raises(InvalidParameters) as refused:
        sender_of(named, parties, LOCATIONS, RECEIVER)

    assert all(word in str(refused.value) for word in says), str(refused.value)
