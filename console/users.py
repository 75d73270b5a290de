"""Accounts and groups of operators: Django's own admins, in the console's theme."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.forms import SelectMultiple
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.base import ModelAdmin, ago, cached_per_row, column, is_permitted, table
from console.object_links import list_of
from operators import second_factor, sessions
from operators.audit import record
from operators.groups import is_built_in
from operators.login_events import Event
from operators.models import Change, ConsoleSession

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from django.db.models import ManyToManyField
    from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple

_EVENTS_SHOWN = 20
admin.site.unregister(User)
admin.site.unregister(Group)
for device in (StaticDevice, TOTPDevice):  # their pages would show the secrets
    admin.site.unregister(device)


@admin.register(User)
class OperatorAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Accounts of operators."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ("reset_two_factor", "end_sessions")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("At the console", {"fields": ("log_in", "events")}))
    readonly_fields = ("log_in", "events", "last_login", "date_joined")
    filter_horizontal = ()  # the boxes of that widget have no labels for a screen reader

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: object
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Offer groups as checkboxes; permissions, which are many, as a list."""
        widgets = {"groups": CheckboxSelectMultiple(), "user_permissions": _permissions()}
        kwargs["widget"] = widgets[db_field.name]
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Allow both actions to those who may change accounts."""
        return is_permitted(request, User)

    @admin.action(description="Reset two-factor log-in", permissions=["reset"])
    def reset_two_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Take the second factor away from the chosen, but for oneself.

        Where one is required, their passwords open nothing but the page to enrol a new one.
        """
        number = sum(
            second_factor.reset(user) for user in queryset.exclude(pk=request.user.pk or 0)
        )
        self.message_user(
            request,
            f"{number} had a second factor and have none any more. Your own asks for your password:"
            " see the account menu.",
        )

    @admin.action(description="End all sessions", permissions=["reset"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End all sessions of the chosen accounts."""
        rows = ConsoleSession.objects.filter(user__in=queryset.values("pk"))
        for user in queryset:
            record(Event.ENDED_SESSIONS, user)
        self.message_user(request, f"{sessions.end(rows)} sessions are ended.")

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002, ANN401 - Django's
        """Change another's password; one's own is changed on the page that asks for the old one."""
        if id == str(request.user.pk):
            return HttpResponseRedirect(reverse("admin:password_change"))
        return super().user_change_password(request, id, form_url)

    @column("Log-in")
    @cached_per_row
    def log_in(self, row: User) -> SafeString:
        """Show whether there is a second factor, and a link to the account's sessions."""
        factor = "with" if second_factor.is_enrolled(row) else "no"
        number = sessions.alive().filter(user=row.pk).count()
        listed = f"{list_of(ConsoleSession)}?q={row.get_username()}"
        sessions_of = f"{number} session{'' if number == 1 else 's'}"
        return format_html(
            '{} second factor, <a class="hub-link" href="{}">{}</a>', factor, listed, sessions_of
        )

    @column("Last events")
    @cached_per_row
    def events(self, row: User) -> SafeString:
        """Show log-ins, failures and changes of the account."""
        of = {"kind": "auth.User", "object_id": str(row.pk)}
        newest = Change.objects.filter(**of).order_by("-id")[:_EVENTS_SHOWN]
        cells = ((ago(each.at), each.who, each.did, each.address or "-") for each in newest)
        return table(("When", "Who", "Did", "Address"), cells)


def _permissions() -> SelectMultiple:
    return SelectMultiple(attrs={"size": 12})


@admin.register(Group)
class OperatorGroupAdmin(GroupAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Groups of operators; migrations set the permissions of the hub's own four."""

    filter_horizontal = ()

    def formfield_for_manytomany(
        self,
        db_field: "ManyToManyField[Any, Any]",
        request: HttpRequest | None = None,
        **kwargs: object,
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Offer permissions as a list."""
        kwargs["widget"] = _permissions()
        return super().formfield_for_manytomany(db_field, request=request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Read the permissions with their content types, which their names show."""
        return super().get_queryset(request).prefetch_related("permissions__content_type")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Refuse for the hub's own groups: the next migration would undo it."""
        return not is_built_in(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Refuse for the hub's own groups."""
        return not is_built_in(obj) and super().has_delete_permission(request, obj)
