"""What the hub does with each functional module beyond forwarding it: one row each.

Architecture chapters 4 and 6. A module without a row here is forwarded only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub import models
from ocpi.types import ModuleID

Column = Callable[[Mapping[str, object]], object]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """How one module is kept and delivered.

    `columns` and `part_columns` name what the hub searches by: a column and how to find its value
    in the decoded object.
    """

    model: type[models.StoredObject]
    part_model: type[models.StoredPart] | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    part_columns: Mapping[str, Column] = field(default_factory=dict)


def member(name: str, default: object = "") -> Column:
    """Return a column that holds one member of the object."""

    def value(decoded: Mapping[str, object]) -> object:
        found = decoded.get(name)
        return default if found is None else found

    return value


POLICIES: Mapping[ModuleID, Policy] = {
    ModuleID.LOCATIONS: Policy(
        model=models.Location,
        part_model=models.Evse,
        columns={
            "name": member("name"),
            "city": member("city"),
            "publish": member("publish", default=True),
        },
        part_columns={"evse_id": member("evse_id"), "status": member("status")},
    ),
}
