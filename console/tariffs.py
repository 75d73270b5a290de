"""Tariffs as their owners sent them. Spec: 2.2.1 mod_tariffs."""

from django.contrib import admin
from django.utils.safestring import SafeString

from console.base import badge, column
from console.filters import VersionFilter, owner_filter, word_filter
from console.stored_object import ABOUT, AS_SERVED, WHO_HAS_IT, StoredAdmin
from hub.models import Tariff
from ocpi.types import ModuleID
from ocpi.versions import values_of


@admin.register(Tariff)
class TariffAdmin(StoredAdmin[Tariff]):
    """Tariffs, newest first."""

    list_display = ("identity", "owned", "currency", "kind", "sent_to", "updated", "noise_sum")
    list_filter = (
        owner_filter(ModuleID.TARIFFS),
        word_filter("type", values_of(ModuleID.TARIFFS, "type")),
        VersionFilter,
        "last_updated",
    )
    search_help_text = "Whole id, or party like NL-CPA"
    fieldsets = ((None, {"fields": (*ABOUT, ("currency", "kind"))}), WHO_HAS_IT, AS_SERVED)

    @column("Type", order="type")
    def kind(self, row: Tariff) -> SafeString | str:
        """Show the type; a tariff without one is for all."""
        return badge(row.type) if row.type else "any"
