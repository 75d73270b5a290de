"""A module that no version of OCPI has, in a version that only a test speaks: toys, and repairs.

Toys can be kept by the hub, repairs are only passed on, as are the two actions; of one of them
results come later.
"""

from dataclasses import replace
from typing import Annotated, Any

from ocpi import v2_2_1
from ocpi.errors import NotFound
from ocpi.modules import (
    GET,
    OWNED,
    POST,
    PUT,
    Kind,
    Module,
    ObjectType,
    OwnerOf,
    Resource,
    Version,
    modules,
)
from ocpi.revisions import restated, revised
from ocpi.roles import pairs
from ocpi.types import (
    URL,
    CiString,
    CountryCode,
    DateTime,
    Length,
    ModuleID,
    OcpiModel,
    PartyID,
    Role,
    String,
)
from sandbox import SandboxPlatform

TOYS = ModuleID("toys")
NUMBER = "9.9"
Json = dict[str, Any]
Pair = tuple[SandboxPlatform, SandboxPlatform]


class Toy(OcpiModel):
    """Something to play with while a car charges."""

    country_code: CountryCode
    party_id: PartyID
    id: Annotated[CiString, Length(36, minimum=1)]
    name: Annotated[String, Length(20)]
    last_updated: DateTime


class Repair(OcpiModel):
    """What was done to a toy."""

    id: Annotated[CiString, Length(36, minimum=1)]
    toy_id: Annotated[CiString, Length(36)]
    last_updated: DateTime


class RepairRequest(OcpiModel):
    """The wish that the toys of a Location are looked at."""

    location_id: Annotated[CiString, Length(36)]


class Play(OcpiModel):
    """The wish that a driver comes and plays."""

    response_url: URL
    toy_id: Annotated[CiString, Length(36)]


TOY = ObjectType("Toy", Toy, "id", NotFound)
REPAIR = ObjectType("Repair", Repair, "id", NotFound)

MODULE = Module(
    identifier=TOYS,
    sender=(
        Resource(("toys",), GET, Kind.LIST, TOY),
        Resource(("toys", "{toy_id}"), GET, object=TOY),
        Resource(("repairs",), GET, Kind.LIST, REPAIR),
        Resource(
            ("repairs",),
            POST,
            Kind.ACTION,
            body=RepairRequest,
            about=OwnerOf("location_id", ModuleID.LOCATIONS),
        ),
        Resource(("repairs", "{repair_id}"), frozenset({"GET", "PATCH"}), object=REPAIR),
        Resource(("played", "{callback}"), POST, Kind.RESULT),
    ),
    receiver=(
        Resource(("toys", *OWNED, "{toy_id}"), frozenset({"GET", "PUT", "PATCH"}), object=TOY),
        Resource(("repairs", *OWNED, "{repair_id}"), PUT, object=REPAIR),
        Resource(("play",), POST, Kind.ACTION, body=Play),
    ),
    roles=pairs({Role.CPO}, {Role.EMSP}),
)
"""Forwarded only; `KEPT` is the same where toys are kept."""

KEPT = replace(MODULE, kept=TOY)

_SHORTER = replace(TOY, model=revised(Toy, name=Annotated[String, Length(5)]))
OLDER = restated(KEPT, _SHORTER)
"""The same in a version in which names are shorter."""


def version(module: Module = MODULE) -> Version:
    """Return the version that has toys beside all that 2.2.1 has."""
    every = {**v2_2_1.VERSION.modules, **modules(module)}
    return replace(v2_2_1.VERSION, number=NUMBER, modules=every)


def asked(platform: SandboxPlatform) -> list[tuple[str, str]]:
    """Return method and path of what a platform was asked, below its endpoint."""
    return [(seen.method, seen.route.partition("/toys/")[2]) for seen in platform.seen]


def a_toy(**changes: Any) -> Json:
    """Return a toy of NL-CPA."""
    said = {"country_code": "NL", "party_id": "CPA", "id": "T1", "name": "Train"}
    return {**said, "last_updated": "2026-01-01T00:00:00Z", **changes}


def a_repair(**changes: Any) -> Json:
    """Return a repair by NL-CPA."""
    return {"id": "R1", "toy_id": "T1", "last_updated": "2026-01-01T00:00:00Z", **changes}
