"""The common part of the pages of Sessions and CDRs: who charged where, with what, how much.

Spec: 2.2.1 mod_sessions, mod_cdrs. Only the last characters of the driver's token are shown.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from django.utils.safestring import SafeString

from console import charging_periods, formats
from console.base import ago, cached_per_row, column, moment_text
from console.object_links import link, location_of, short, token_of
from console.reveal import RevealPage
from console.search import charged
from console.stored_object import StoredAdmin
from hub.masking.personal import mask_json, mask_value
from hub.models.charging import ERASED, Charged

Row = TypeVar("Row", bound=Charged)
NARROW = 12
"""Characters of a long id that a wide list shows."""
SEARCHED_BY = "token uid, EVSE id, location id, or party like NL-CPA"
"""What both are found by, beside their id."""


class ChargedAdmin(RevealPage, StoredAdmin[Row]):
    """Sessions or CDRs."""

    search_help_text = f"Whole id, {SEARCHED_BY}"
    finder = staticmethod(charged)

    def served(self, row: Row) -> bytes:
        """Return the text without what identifies the driver."""
        return mask_json(row.text.encode())

    @column("Started", order="started_at")
    def started(self, row: Row) -> SafeString | str:
        """Show when it began, in a list."""
        return ago(row.started_at)

    @column("Started")
    def started_exactly(self, row: Row) -> str:
        """Show when it began."""
        return moment_text(row.started_at)

    @column("Ended")
    def ended_exactly(self, row: Row) -> str:
        """Show when it ended."""
        return moment_text(row.ended_at)

    @column("Duration")
    def duration(self, row: Row) -> str:
        """Show how long it took."""
        return formats.duration(row)

    @column("Recipient", order="recipient")
    def meant_for(self, row: Row) -> SafeString | str:
        """Name the owner of the token, in a list."""
        return short(row.recipient or "-")

    @column("Energy", order="kwh")
    def energy(self, row: Row) -> str:
        """Show the energy charged."""
        return formats.energy(row)

    @column("Cost", order="cost")
    def price(self, row: Row) -> str:
        """Show what it cost."""
        return formats.price(row)

    @column("Average price")
    def price_per_kwh(self, row: Row) -> str:
        """Show the average cost of a kWh."""
        return formats.price_per_kwh(row)

    @column("")
    @cached_per_row
    def chart(self, row: Row) -> SafeString | str:
        """Draw the energy of each charging period."""
        return charging_periods.chart(_decoded(row))

    @column("Token")
    def token(self, row: Row) -> SafeString:
        """Show the end of the token's uid, in a list."""
        return short(mask_value(row.token_key) or "-")

    @column("Token")
    @cached_per_row
    def token_link(self, row: Row) -> SafeString | str:
        """Link to the token."""
        if row.token_key == ERASED:
            return ERASED
        found = token_of(row, _decoded(row))
        shown = mask_value(row.token_key) or "none"
        return link(found, f"{shown} of {found.owner}") if found else f"{shown}, unknown to the hub"

    @column("Location", order="location_key")
    def location(self, row: Row) -> SafeString | str:
        """Show the location's id, in a list."""
        return short(row.location_key, longest=NARROW) if row.location_key else "-"

    @column("Location")
    @cached_per_row
    def location_link(self, row: Row) -> SafeString | str:
        """Link to the location; one that is not to be published has no page (LOC-17)."""
        found = location_of(row)
        if found is None or not found.publish:
            return self.location(row)
        return link(found, found.object_id)

    @column("EVSE")
    def evse(self, row: Row) -> str:
        """Show the uid of the EVSE."""
        return row.evse_key or "-"


def _decoded(row: Charged) -> Mapping[str, object]:
    found: Any = msgspec.json.decode(row.text)
    return found if isinstance(found, dict) else {}
