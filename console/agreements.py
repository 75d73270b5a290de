"""Agreements, which operators make and suspend, between roles that have something to exchange.

Saving one sends the signal `agreement_changed`, which delivery listens to.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.agreement_csv import AgreementCsvPages
from console.agreement_matrix import MatrixPage
from console.base import ModelAdmin, Tone, badge, column, moment_text
from console.explain_access import ExplainPage
from ocpi.versions import known_modules
from parties.agreements import has_begun, has_ended, objections
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import OWNERS, READERS

if TYPE_CHECKING:
    from django.forms import CheckboxSelectMultiple, Select
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminSelectWidget as Select

AGREEMENT_TONES = {
    AgreementState.DRAFT: Tone.QUIET,
    AgreementState.ACTIVE: Tone.GOOD,
    AgreementState.SUSPENDED: Tone.CARE,
    AgreementState.EXPIRED: Tone.QUIET,
}
_SIDES = ("cpo", "emsp")


class _PartyField(forms.ModelChoiceField[Party]):
    """Parties by key, role and name."""

    def label_from_instance(self, obj: Party) -> str:
        """Return key, role and name: parties of different roles may share a key."""
        known = obj.name or ("" if obj.is_active else "not registered yet")
        return f"{obj.ref} {obj.role} · {known}" if known else f"{obj.ref} {obj.role}"


def _side(label: str, roles: Iterable[str]) -> _PartyField:
    fitting = Party.objects.filter(role__in=roles)
    return _PartyField(fitting, label=label, empty_label="Select a party", widget=Select())


class AgreementForm(forms.ModelForm[Agreement]):
    """An agreement, refused with a sentence when it could never have an effect."""

    cpo = _side("CPO or NAP (or an eMSP, with its SCSP)", OWNERS)
    emsp = _side("eMSP, NSP, NAP, SCSP or OTHER", READERS)
    modules = forms.MultipleChoiceField(
        required=False, widget=CheckboxSelectMultiple, help_text="None chosen: all modules"
    )

    class Meta:
        model = Agreement
        fields = ("cpo", "emsp", "state", "modules", "valid_from", "valid_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("modules")
        if field is not None:  # a viewer's form has no fields
            # Modules that it names stay choosable: without the last of them it would mean all.
            offered = {*known_modules(functional=True), *self.instance.modules}
            field.choices = [(name, name) for name in sorted(offered)]

    def clean(self) -> dict[str, Any]:
        """Check the parties, the modules and the period together."""
        cleaned = super().clean() or self.cleaned_data
        cpo, emsp = (cleaned.get(side) or getattr(self.instance, side, None) for side in _SIDES)
        if cpo is not None and emsp is not None:
            for sentence in objections(cpo, emsp, cleaned.get("modules", ())):
                self.add_error(None, sentence)
        start, end = cleaned.get("valid_from"), cleaned.get("valid_until")
        if start and end and end <= start:
            self.add_error("valid_until", "The agreement must end after it begins.")
        return cleaned


@admin.register(Agreement)
class AgreementAdmin(MatrixPage, ExplainPage, AgreementCsvPages, ModelAdmin[Agreement]):
    """Who exchanges data with whom. Agreements are suspended, never deleted."""

    form = AgreementForm
    list_display = ("parties", "cpo_name", "emsp_name", "state_badge", "covers", "begins", "ends")
    list_filter = ("state", "cpo__role", "emsp__role")
    search_fields = ("cpo__key", "emsp__key", "cpo__name", "emsp__name")
    search_help_text = "Key like NL-CPA, or name of either party"
    list_per_page = 50
    actions = None
    actions_list = ("matrix", "explain", "export_csv", "import_csv")
    fieldsets = (
        (None, {"fields": ("cpo", "emsp", "state", "modules")}),
        (
            "Period",
            {
                "fields": ("valid_from", "valid_until"),
                "description": "In UTC; empty: without limit",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agreement]:
        """Read both parties with the agreement: it is named after them."""
        return super().get_queryset(request).select_related("cpo", "emsp")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Agreement | None = None
    ) -> tuple[str, ...]:
        """Forbid other parties: another pair is another agreement."""
        del request
        return _SIDES if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Agreement | None = None) -> bool:
        """Refuse: where access is open, deleting a suspended agreement would let data pass."""
        del request, obj
        return False

    @column("Agreement", order="cpo__key")
    def parties(self, agreement: Agreement) -> SafeString:
        """Name it by its parties."""
        return format_html(
            '<span class="hub-key">{} - {}</span>', agreement.cpo.ref, agreement.emsp.ref
        )

    @column("CPO or NAP", order="cpo__name")
    def cpo_name(self, agreement: Agreement) -> str:
        """Show the owner's role and name."""
        return _named(agreement.cpo)

    @column("Reader", order="emsp__name")
    def emsp_name(self, agreement: Agreement) -> str:
        """Show the reader's role and name."""
        return _named(agreement.emsp)

    @column("State", order="state")
    def state_badge(self, agreement: Agreement) -> SafeString:
        """Show the state, and whether its period makes a difference."""
        state = AgreementState(agreement.state)
        if state is AgreementState.ACTIVE:
            if not has_begun(agreement):
                return badge("ACTIVE, not begun", Tone.BUSY)
            if has_ended(agreement):
                return badge("ACTIVE, ended", Tone.CARE)
        return badge(state, AGREEMENT_TONES[state])

    @column("Modules")
    def covers(self, agreement: Agreement) -> str:
        """Show what it is about."""
        return ", ".join(agreement.modules) or "all"

    @column("From", order="valid_from")
    def begins(self, agreement: Agreement) -> str:
        """Show when it begins."""
        return moment_text(agreement.valid_from)

    @column("Until", order="valid_until")
    def ends(self, agreement: Agreement) -> str:
        """Show when it ends."""
        return moment_text(agreement.valid_until)


def _named(party: Party) -> str:
    return f"{party.role} · {party.name}" if party.name else party.role
