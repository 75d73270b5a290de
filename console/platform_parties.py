"""The operator's list of the parties a platform may register.

Spec: 2.2.1 credentials; A-30, A-31. Lines are added and removed, never changed; they are written by
`parties.registration.invitation`, so that commands and console do the same.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from console.base import TabularInline, Tone, badge, column, is_permitted, may_view
from ocpi.types import PartyRef, Role
from parties.hub_identity import hub_party
from parties.models import AllowedParty, Party, Platform
from parties.registration.invitation import AllowedRole

if TYPE_CHECKING:
    from django.forms import BaseInlineFormSet
else:
    from unfold.forms import PaginationInlineFormSet as BaseInlineFormSet


class AllowedPartyForm(forms.ModelForm[AllowedParty]):
    """One line: role, country code and party id, in upper or lower case."""

    class Meta:
        model = AllowedParty
        fields = ("role", "country_code", "party_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # the theme's table has no label for each
            field.widget.attrs["aria-label"] = field.label

    def clean(self) -> dict[str, Any]:
        """Put the party in upper case; refuse the hub itself, and a party of another platform."""
        cleaned = super().clean() or self.cleaned_data
        if not {"role", "country_code", "party_id"} <= cleaned.keys():
            return cleaned
        try:
            ref = PartyRef.parse(f"{cleaned['country_code']}-{cleaned['party_id']}")
        except ValueError:
            raise forms.ValidationError(
                "Two characters of country and three of party, like NL CPA."
            ) from None
        cleaned["country_code"], cleaned["party_id"] = ref.country_code, ref.party_id
        objection = _objection(AllowedRole(Role(cleaned["role"]), ref), self.instance.pk or 0)
        if objection is not None:
            raise forms.ValidationError(objection)
        return cleaned


def _objection(allowed: AllowedRole, own: int) -> str | None:
    if allowed.ref == hub_party():
        return f"{allowed.ref} is the hub itself."
    role, country_code, party_id = allowed.triple
    same = AllowedParty.objects.filter(role=role, country_code=country_code, party_id=party_id)
    other = same.exclude(pk=own).select_related("platform").first()
    return None if other is None else f"{allowed} belongs to the platform {other.platform.name}."


class AllowedPartyFormSet(BaseInlineFormSet[AllowedParty, Platform, forms.ModelForm[AllowedParty]]):
    """The whole list."""

    def clean(self) -> None:
        """Refuse to remove the last line, or that of a party that is registered."""
        super().clean()
        if any(self.errors):
            return
        for form in self.deleted_forms:
            if self.instance.is_registered and getattr(form.instance, "active", False):
                raise forms.ValidationError(
                    f"{form.instance} is active: it can leave the list once the platform's"
                    " credentials no longer name it, or its registration has ended."
                )
        added, removed = self.changes()
        if len(self.initial_forms) + len(added) == len(removed):
            raise forms.ValidationError("Name at least one party the platform may register.")

    def changes(self) -> tuple[list[AllowedParty], list[AllowedParty]]:
        """Return the lines to add, and those to remove."""
        removed = [form.instance for form in self.deleted_forms if form.instance.pk]
        filled = [
            form
            for form in self.extra_forms
            if form.has_changed() and form not in self.deleted_forms
        ]
        return [form.instance for form in filled], removed


def allowed_role(row: AllowedParty) -> AllowedRole:
    """Return a line as `parties.registration.invitation` takes it."""
    return AllowedRole(Role(row.role), row.ref)


class AllowedPartyInline(TabularInline[AllowedParty, Platform]):
    """The list on its platform's page."""

    model = AllowedParty
    form = AllowedPartyForm
    formset = AllowedPartyFormSet
    extra = 0
    min_num = 1
    fields: ClassVar[tuple[str, ...]] = ("role", "country_code", "party_id", "registered")
    readonly_fields = ("registered",)
    verbose_name_plural = "Allowed parties"
    tab = True
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[AllowedParty]:
        """Add to each line whether its party is active."""
        same = Party.objects.filter(
            platform=OuterRef("platform"),
            role=OuterRef("role"),
            country_code=OuterRef("country_code"),
            party_id=OuterRef("party_id"),
            is_active=True,
        )
        return super().get_queryset(request).annotate(active=Exists(same)).order_by("pk")

    def has_view_permission(self, request: HttpRequest, obj: Platform | None = None) -> bool:
        """Allow it to those who may see platforms."""
        del obj
        return may_view(request, Platform)

    def has_add_permission(self, request: HttpRequest, obj: Platform | None = None) -> bool:
        """Allow it to those who may change the platform, or add one."""
        return is_permitted(request, Platform, verb="change" if obj is not None else "add")

    def has_change_permission(self, request: HttpRequest, obj: Platform | None = None) -> bool:
        """Refuse: another party is another line."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Platform | None = None) -> bool:
        """Allow it to those who may change the platform."""
        return self.has_add_permission(request, obj)

    @column("Registered")
    def registered(self, row: AllowedParty) -> SafeString | str:
        """Show whether the platform has registered it."""
        if row.pk is None:
            return ""
        return badge("active", Tone.GOOD) if getattr(row, "active", False) else badge("not active")


class FirstAllowedPartyInline(AllowedPartyInline):
    """The list of a platform that is being added, which has no tabs."""

    tab = False
    fields = ("role", "country_code", "party_id")
