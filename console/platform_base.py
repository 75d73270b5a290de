"""The base of the platforms' pages: parties, quirks, connection, tokens, endpoints, deviations.

Spec: 2.2.1 credentials, versions; mod_hub_client_info. `console.platforms` adds deliveries and
operations on the connection, and registers the pages.
"""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.base import ModelAdmin, Tone, ago, badge, badges, column
from console.parties import STATUS_TONES
from console.platform_inlines import CredentialsInline, DeviationInline, EndpointInline
from console.platform_parties import (
    AllowedPartyFormSet,
    AllowedPartyInline,
    FirstAllowedPartyInline,
    allowed_role,
)
from console.platform_quirks import QUIRK_FIELDS, NewPlatformForm, PlatformForm
from parties.connection_status import ConnectionStatus
from parties.models import Party, Platform
from parties.registration.invitation import allow

_PARTIES_SHOWN = 4
_FIRST_STEPS = (
    "Name the platform and the parties it may register. Next comes the handshake: a token A to hand"
    " over, or the one the platform gave us."
)


class PlatformAdmin(ModelAdmin[Platform]):
    """Platforms, of which only name, quirks and allowed parties can be changed."""

    form = PlatformForm
    list_display: tuple[str, ...] = (
        "name",
        "status_badge",
        "version",
        "party_keys",
        "last_seen",
        "trouble",
    )
    list_filter = ("status", "version")
    search_fields = ("name", "parties__key", "parties__name")
    search_help_text = "Name, or key or name of a party"
    list_per_page = 50
    actions = None
    inlines = (AllowedPartyInline, CredentialsInline, EndpointInline, DeviationInline)
    readonly_fields: ClassVar[tuple[str, ...]] = (
        "status_badge",
        "version",
        "versions_url",
        "party_keys",
        "last_seen",
        "trouble",
        "last_trouble",
        "pinged",
        "alarmed",
        "known_since",
    )
    fieldsets: ClassVar[Any] = (
        (
            None,
            {
                "fields": (
                    "name",
                    ("status_badge", "version"),
                    "alarmed",
                    ("last_seen", "pinged", "known_since"),
                    "party_keys",
                    "versions_url",
                    "trouble",
                    "last_trouble",
                )
            },
        ),
        ("Quirks", {"fields": QUIRK_FIELDS}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "starts"), "description": _FIRST_STEPS}),
        ("Quirks", {"fields": QUIRK_FIELDS, "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Platform]:
        """Read the parties with the platforms."""
        parties = Prefetch("parties", Party.objects.order_by("key", "role"))
        return super().get_queryset(request).prefetch_related(parties)

    def get_form(
        self,
        request: HttpRequest,
        obj: Platform | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **kwargs: Any,  # noqa: ANN401 - the same
    ) -> type[ModelForm[Platform]]:
        """Use the form that asks who starts when a platform is added."""
        chosen = kwargs if obj is not None else {**kwargs, "form": NewPlatformForm}
        return super().get_form(request, obj, change, **chosen)

    def get_inlines(self, request: HttpRequest, obj: Platform | None) -> Any:  # noqa: ANN401 - a list of Django's
        """Show only the list of allowed parties when a platform is added."""
        return (FirstAllowedPartyInline,) if obj is None else super().get_inlines(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Platform | None = None) -> bool:
        """Refuse: a platform is forgotten instead, with its registration and its data."""
        del request, obj
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: Platform,
        form: object,
        change: bool,  # noqa: FBT001
    ) -> None:
        """Save the form's columns alone: others may have changed meanwhile."""
        del request, form
        obj.save(update_fields=["name", "quirks"] if change else None)

    def save_formset(
        self,
        request: HttpRequest,
        form: object,
        formset: Any,  # noqa: ANN401 - of any inline
        change: bool,  # noqa: FBT001
    ) -> None:
        """Add and remove the allowed parties that the operator added and removed."""
        del request, form, change
        added, removed = formset.changes() if isinstance(formset, AllowedPartyFormSet) else ([], [])
        formset.new_objects, formset.changed_objects, formset.deleted_objects = added, [], removed
        if added or removed:
            present = [*formset.instance.allowed_parties.all(), *added]
            allow(formset.instance, [allowed_role(row) for row in present if row not in removed])

    @column("Status", order="status")
    def status_badge(self, platform: Platform) -> SafeString:
        """Show its status, and since when."""
        status = ConnectionStatus(platform.status)
        return badge(
            status,
            STATUS_TONES[status],
            title=f"since {platform.status_changed_at:%Y-%m-%d %H:%M} UTC",
        )

    @column("Parties")
    def party_keys(self, platform: Platform) -> SafeString:
        """Show its parties; those that it has registered are in colour."""
        parties = list(platform.parties.all())
        active = [party.is_active and platform.is_registered for party in parties]
        tones = [Tone.GOOD if is_active else Tone.QUIET for is_active in active]
        shown = [
            (f"{party.key} {party.role}", tone) for party, tone in zip(parties, tones, strict=True)
        ]
        more = (
            [(f"+{len(shown) - _PARTIES_SHOWN}", Tone.QUIET)] if len(shown) > _PARTIES_SHOWN else []
        )
        return badges(shown[:_PARTIES_SHOWN] + more)

    @column("Last seen", order="last_seen_at")
    def last_seen(self, platform: Platform) -> SafeString | str:
        """Show when it last called or answered."""
        return ago(platform.last_seen_at) if platform.last_seen_at else "never"

    @column("Health", order="failures")
    def trouble(self, platform: Platform) -> SafeString | str:
        """Show the alarm, failures in a row and the pause, or an open circuit."""
        if platform.alarm:
            return badge("alarm", Tone.BAD, title=platform.alarm)
        circuit = platform.circuit_until
        if circuit is not None and circuit > timezone.now():
            opened = badge("circuit open", Tone.BAD, title="Relayed messages are refused")
            return format_html("{} until {}", opened, ago(circuit))
        failed = platform.failures
        if not failed and not platform.is_registered:
            url = reverse("admin:parties_platform_onboarding", args=[platform.pk])
            return format_html('<a class="hub-link" href="{}">onboarding</a>', url)
        state = badge(f"{failed} failed", Tone.BAD) if failed else badge("no failures", Tone.GOOD)
        pause = platform.next_attempt_at
        if pause is None or pause <= timezone.now():
            return state
        return format_html("{} next try {}", state, ago(pause))

    @column("Last error")
    def last_trouble(self, platform: Platform) -> SafeString | str:
        """Show the last error, and when it was."""
        if not platform.last_error:
            return "none"
        return format_html("{} ({})", platform.last_error, ago(platform.last_error_at))

    @column("Alarm")
    def alarmed(self, platform: Platform) -> SafeString | str:
        """Show what an operator has to repair, and since when."""
        if not platform.alarm:
            return "none"
        alarm = badge("alarm", Tone.BAD)
        return format_html("{} {} ({})", alarm, platform.alarm, ago(platform.alarm_at))

    @column("Last pinged")
    def pinged(self, platform: Platform) -> SafeString | str:
        """Show the last still alive check, and how many attempts of any kind failed in a row."""
        if platform.last_ping_at is None:
            return "never"
        failed = f", {platform.unreachable} in vain" if platform.unreachable else ""
        return format_html("{}{}", ago(platform.last_ping_at), failed)

    @column("Known since")
    def known_since(self, platform: Platform) -> SafeString | str:
        """Show when an operator added it."""
        return ago(platform.created_at)
