"""One OCPI connection: a platform, its status, and where its endpoints are.

Spec: 2.2.1 terminology (Platform); versions (Endpoint); mod_hub_client_info (status).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from ocpi.types import InterfaceRole
from parties.connection_status import REGISTERED, ConnectionStatus, IllegalTransition, origins
from parties.models.columns import choices, module_field, module_name, one_of
from parties.quirks import Quirks
from parties.signals import announce, platform_changed, platform_returned


class _QuirksEncoder(DjangoJSONEncoder):
    """Writes `Quirks` as a JSON object."""

    def default(self, o: object) -> object:
        """Write the one type JSON does not know."""
        return o.as_mapping() if isinstance(o, Quirks) else super().default(o)


class QuirksField(models.JSONField):
    """A JSON column that reads as `Quirks`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        """Set the encoder and the default."""
        super().__init__(*args, **{**kwargs, "encoder": _QuirksEncoder, "default": Quirks})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Leave out of migrations what every `QuirksField` has."""
        name, path, args, kwargs = super().deconstruct()
        return (
            name,
            path,
            list(args),
            {k: v for k, v in kwargs.items() if k not in {"encoder", "default"}},
        )

    def from_db_value(
        self, value: str | None, _expression: object, _connection: object
    ) -> Quirks | None:
        """Read the stored text."""
        return None if value is None else Quirks.from_json(value)

    def to_python(self, value: object) -> object:
        """Read what a form or a fixture holds."""
        if not isinstance(value, Mapping):
            return value
        try:
            return Quirks.from_mapping(dict(value))
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Platform(models.Model):
    """One OCPI connection, and what the hub knows of its state."""

    name = models.CharField(max_length=100, unique=True)
    versions_url = models.CharField("versions URL", max_length=255, blank=True, default="")
    version = models.CharField(
        max_length=10, blank=True, default="", help_text="The version in use"
    )
    status = models.CharField(
        max_length=10,
        choices=choices(ConnectionStatus),
        default=ConnectionStatus.PLANNED.value,
        db_index=True,
    )
    status_changed_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(
        null=True, blank=True, help_text="Its last authenticated call or answer"
    )
    last_ping_at = models.DateTimeField(
        null=True, blank=True, help_text="When the hub last asked whether it is there"
    )
    quirks = QuirksField(blank=True)
    failures = models.PositiveIntegerField(
        default=0, help_text="Failed attempts since the last success"
    )
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text="Nothing is sent before"
    )
    unreachable = models.PositiveIntegerField(
        default=0, help_text="Attempts in a row that found nobody"
    )
    doubted_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="A message got a 401, a 403 or no answer: it is pinged soon",
    )
    alarm = models.TextField(blank=True, default="", help_text="What operators have to mend")
    alarm_at = models.DateTimeField(null=True, blank=True)
    unanswered = models.PositiveIntegerField(
        default=0, help_text="Relayed messages in a row without an answer"
    )
    circuit_until = models.DateTimeField(
        null=True, blank=True, help_text="Relayed messages are refused before"
    )
    last_error = models.TextField(blank=True, default="")
    last_error_at = models.DateTimeField(null=True, blank=True)
    announced_url = models.CharField(
        max_length=255,
        blank=True,
        default="",
        editable=False,
        help_text="The hub's versions URL it was last given",
    )
    renewal_tried_at = models.DateTimeField(null=True, editable=False)
    handshake_until = models.DateTimeField(
        null=True, editable=False, help_text="Until then one credentials exchange keeps others out"
    )
    registered_at = models.DateTimeField(
        null=True, editable=False, help_text="What was sent or read before is sent and read anew"
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[Any]] = [
            one_of("status", ConnectionStatus, name="parties_platform_status"),
            models.CheckConstraint(condition=~models.Q(name=""), name="parties_platform_named"),
            models.CheckConstraint(
                condition=~models.Q(status__in=sorted(word.value for word in REGISTERED))
                | ~models.Q(version=""),
                name="parties_platform_registered_has_version",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_registered(self) -> bool:
        """Whether credentials were exchanged and are in force."""
        return self.status in REGISTERED

    def move_to(self, status: ConnectionStatus, *, registering: bool = False) -> bool:
        """Change the status by one conditional UPDATE; False if another process was first.

        Raises `IllegalTransition` for a change that `parties.connection_status` does not have.
        `registering` is for a completed credentials handshake, the only way back from SUSPENDED.
        """
        moment, was_offline = timezone.now(), self.status == ConnectionStatus.OFFLINE
        possible = Platform.objects.filter(
            pk=self.pk, status__in=origins(status, registering=registering)
        )
        moved = possible.update(status=status, status_changed_at=moment) > 0
        if moved:
            self.status, self.status_changed_at = status, moment
            announce(platform_changed, Platform, platform_id=self.pk)
            if was_offline and status is ConnectionStatus.CONNECTED:
                announce(platform_returned, Platform, platform_id=self.pk)
            return True
        self.refresh_from_db(fields=["status", "status_changed_at"])
        if self.status != status:
            message = f"{self.name} is {self.status} and cannot become {status}"
            raise IllegalTransition(message)
        return False


class Endpoint(models.Model):
    """Where a platform offers one interface of one module."""

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="endpoints")
    module = module_field()
    role = models.CharField(max_length=10, choices=choices(InterfaceRole))
    url = models.CharField("URL", max_length=255)
    by_hand = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Added by an operator: it stays when version details are read again",
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["platform", "module", "role"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["platform", "module", "role"], name="parties_endpoint_once"
            ),
            module_name("module", name="parties_endpoint_module"),
            one_of("role", InterfaceRole, name="parties_endpoint_role"),
            models.CheckConstraint(condition=~models.Q(url=""), name="parties_endpoint_url"),
        ]

    def __str__(self) -> str:
        return f"{self.module} {self.role} at {self.url}"
