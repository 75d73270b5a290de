"""The declarations of tariffs, tokens, sessions and CDRs, in every version that has them."""

import pytest

from ocpi.errors import NotFound, UnknownToken
from ocpi.modules import OWNED, Variant
from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import VERSIONS, Version

TARIFFS, TOKENS = ModuleID.TARIFFS, ModuleID.TOKENS
SESSIONS, CDRS = ModuleID.SESSIONS, ModuleID.CDRS
SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Version:
    """Take every version."""
    return VERSIONS[request.param]


@pytest.mark.parametrize(
    "module, role, path, methods",
    [
        (TARIFFS, SENDER, "", "GET"),
        (TARIFFS, RECEIVER, "NL/CPA/T1", "DELETE GET PUT"),
        (TOKENS, SENDER, "", "GET"),
        (TOKENS, SENDER, "TOKEN-1/authorize", "POST"),
        (TOKENS, RECEIVER, "DE/MSA/TOKEN-1", "GET PATCH PUT"),
        (SESSIONS, SENDER, "", "GET"),
        (SESSIONS, SENDER, "S1/charging_preferences", "PUT"),
        (SESSIONS, RECEIVER, "NL/CPA/S1", "GET PATCH PUT"),
        (CDRS, SENDER, "", "GET"),
        (CDRS, RECEIVER, "", "POST"),
        (CDRS, RECEIVER, "4b1f8e32", "GET"),
    ],
)
def test_paths_answer_to_their_methods(
    version: Version, module: ModuleID, role: InterfaceRole, path: str, methods: str
) -> None:
    """Every path of the specification takes exactly the methods it lists."""
    segments = path.split("/") if path else []

    assert version.modules[module].interfaces[role].allowed(segments) == tuple(methods.split())


@pytest.mark.parametrize(
    "module, role, path",
    [
        (TARIFFS, SENDER, "T1"),
        (TARIFFS, RECEIVER, "NL/CPA"),
        (TOKENS, SENDER, "TOKEN-1"),
        (TOKENS, RECEIVER, "TOKEN-1/authorize"),
        (SESSIONS, SENDER, "S1"),
        (SESSIONS, RECEIVER, "NL/CPA/S1/charging_periods"),
        (CDRS, SENDER, "C1"),
        (CDRS, RECEIVER, "NL/CPA/C1"),
    ],
)
def test_other_paths_lead_nowhere(
    version: Version, module: ModuleID, role: InterfaceRole, path: str
) -> None:
    """Senders give lists alone, and nothing is addressed but whole objects."""
    assert version.modules[module].interfaces[role].match(path.split("/")) is None


@pytest.mark.parametrize("module", [TARIFFS, TOKENS, SESSIONS, CDRS])
def test_every_module_is_about_objects(version: Version, module: ModuleID) -> None:
    """Each module is functional and has objects of the class it is named by, with an id."""
    declared = version.modules[module]
    kind = declared.kept

    assert declared.functional
    owned = [each.path[:2] == OWNED for each in declared.receiver]
    assert owned == [module != CDRS] * len(owned)
    assert kind is not None
    assert kind.name == kind.model.__name__
    assert kind.id_field in kind.model.model_fields
    assert kind.unknown is (UnknownToken if module == TOKENS else NotFound)
    assert (kind.variant is not None) == (module == TOKENS)
    assert bool(kind.appended) == (module == SESSIONS)
    assert kind.posted == (module == CDRS)


def test_tokens_are_told_apart_by_their_type(version: Version) -> None:
    """A Token is its uid and its type, and a URL without a type means RFID."""
    kind = version.modules[TOKENS].kept

    assert kind is not None
    assert kind.id_field == "uid"
    assert kind.variant == Variant("type", "RFID")


def test_sessions_grow_by_charging_periods(version: Version) -> None:
    """What a PATCH of a Session appends to is its list of charging periods."""
    kind = version.modules[SESSIONS].kept

    assert kind is not None
    assert kind.appended == {"charging_periods"}
    assert kind.appended <= kind.model.model_fields.keys()
