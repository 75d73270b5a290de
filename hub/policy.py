"""What the hub does with each functional module beyond forwarding it: one row each.

docs/architecture.md#what-is-kept. A module without a row here is forwarded only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub import models
from hub.columns import Column, flag, folded, moment, number, word
from ocpi.types import ModuleID


class Delivery(StrEnum):
    """What becomes of a backlog."""

    LATEST = "latest"
    """It collapses to the present state of each object."""
    DURABLE = "durable"
    """Every message goes out, each object's in order, until it is delivered or expires."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """How one module is kept and delivered.

    `columns` and `part_columns` name what the hub searches by: a column and how to find its value
    in the decoded object. What is `personal` is for the owner of its `cdr_token` alone (A-26), and
    the audience of each object is that party; all else is for everybody with access.
    """

    model: type[models.StoredObject]
    part_model: type[models.StoredPart] | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    part_columns: Mapping[str, Column] = field(default_factory=dict)
    delivery: Delivery = Delivery.LATEST
    personal: bool = False


_CHARGED: Mapping[str, Column] = {
    "token_key": folded("cdr_token", "uid"),
    "contract_key": folded("cdr_token", "contract_id"),
    "started_at": moment("start_date_time"),
    "ended_at": moment("end_date_time"),
    "cost": number("total_cost", "excl_vat"),
    "currency": word("currency"),
}

POLICIES: Mapping[ModuleID, Policy] = {
    ModuleID.TARIFFS: Policy(
        model=models.Tariff,
        columns={"currency": word("currency"), "type": word("type")},
    ),
    ModuleID.LOCATIONS: Policy(
        model=models.Location,
        part_model=models.Evse,
        columns={
            "name": word("name"),
            "city": word("city"),
            "publish": flag("publish", default=True),
            "latitude": number("coordinates", "latitude"),
            "longitude": number("coordinates", "longitude"),
        },
        part_columns={"evse_id": word("evse_id"), "status": word("status")},
    ),
    ModuleID.TOKENS: Policy(
        model=models.Token,
        columns={
            "type": word("type"),
            "valid": flag("valid", default=True),
            "whitelist": word("whitelist"),
            "issuer": word("issuer"),
            "contract_id": word("contract_id"),
        },
    ),
    ModuleID.SESSIONS: Policy(
        model=models.Session,
        columns={
            **_CHARGED,
            "location_key": folded("location_id"),
            "evse_key": folded("evse_uid"),
            "kwh": number("kwh"),
            "status": word("status"),
        },
        delivery=Delivery.DURABLE,
        personal=True,
    ),
    ModuleID.CDRS: Policy(
        model=models.Cdr,
        columns={
            **_CHARGED,
            "location_key": folded("cdr_location", "id"),
            "evse_key": folded("cdr_location", "evse_uid"),
            "kwh": number("total_energy"),
            "session_key": folded("session_id"),
            "credit": flag("credit", default=False),
        },
        delivery=Delivery.DURABLE,
        personal=True,
    ),
}
"""In the order in which a newcomer is told: tariffs before the locations that name them."""

ABOUT_DRIVERS = frozenset({ModuleID.TOKENS, ModuleID.SESSIONS, ModuleID.CDRS})
"""Whose objects name tokens, and so may what a peer says of them."""
