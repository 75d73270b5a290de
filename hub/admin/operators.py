"""Who may use the console: Django's users and groups in the console's dress."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from operators import second_factor
from operators.roles import is_of_the_hub
from parties.admin.console import ModelAdmin, operates

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)
for device in (StaticDevice, TOTPDevice):  # their own pages show the secrets
    admin.site.unregister(device)


@admin.register(User)
class OperatorAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """People with a log-in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ("reset_two_factor",)

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Tell who may take somebody's second factor away: who may change accounts."""
        return operates(request, User)

    @admin.action(description="Reset two-factor log-in", permissions=["reset"])
    def reset_two_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let the chosen in with their passwords alone."""
        number = sum(second_factor.reset(user) for user in queryset)
        self.message_user(request, f"{number} had a second factor and have none any more.")


@admin.register(Group)
class OperatorGroupAdmin(GroupAdmin, ModelAdmin):  # type: ignore[type-arg]
    """What they may do; the hub's own four are what migrations make of them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Read with the permissions what they are about: each names it."""
        return super().get_queryset(request).prefetch_related("permissions__content_type")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Refuse for the hub's own: the next migration would undo it."""
        return not is_of_the_hub(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Refuse for the hub's own."""
        return not is_of_the_hub(obj) and super().has_delete_permission(request, obj)
