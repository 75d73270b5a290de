"""Credentials tokens of both directions.

Spec: 2.2.1 credentials; A-02, A-78, A-79. Inbound tokens are hashes, outbound ones encrypted: a
copy of the table gives no access.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least
from django.utils import timezone

from ocpi.transport.authorization import TokenForm
from parties import tokens
from parties.models.columns import choices, one_of
from parties.models.platform import Platform

__all__ = ["Credentials", "Direction", "TokenForm", "TokenKind"]


class Direction(StrEnum):
    """Who presents the token to whom."""

    IN = "IN"
    """The platform to the hub."""
    OUT = "OUT"
    """The hub to the platform."""


class TokenKind(StrEnum):
    """What a token opens."""

    A = "A"
    """Versions and credentials, until the registration is complete."""
    C = "C"
    """Everything. Whether the specification calls it B or C depends on who started."""


class CredentialsQuerySet(models.QuerySet["Credentials"]):
    """Selects, issues, stores and ends tokens."""

    def inbound(self, platform: Platform | int) -> Self:
        """Select the tokens that the platform may present to the hub, unless revoked."""
        return self.filter(platform=platform, direction=Direction.IN, revoked_at=None)

    def unconfirmed(self, former_id: int) -> Self:
        """Select what was issued in place of a token and may never have reached the platform."""
        unused = self.filter(replaces=former_id, first_used_at=None)
        return unused.filter(revoked_at=None, valid_until=None)

    def outbound(self, platform: Platform | int) -> Self:
        """Select the token the hub presents to the platform; one that is replaced is deleted."""
        return self.filter(platform=platform, direction=Direction.OUT)

    def revoke(self) -> int:
        """End the selected tokens for good."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())

    def end_within(self, seconds: int) -> int:
        """Let the selected tokens expire after so long, or earlier if they would anyway."""
        end = timezone.now() + timedelta(seconds=seconds)
        return self.update(valid_until=Least(F("valid_until"), models.Value(end)))

    def issue(
        self,
        platform: Platform | int,
        *,
        kind: TokenKind = TokenKind.C,
        valid_until: datetime | None = None,
        provisional: bool = False,
        replaces: int | None = None,
    ) -> tuple["Credentials", str]:
        """Store a new inbound token; return it with its text, which is known only now."""
        token = tokens.new_token()
        row = self.create(
            platform_id=platform.pk if isinstance(platform, Platform) else platform,
            direction=Direction.IN,
            kind=kind,
            digest=tokens.digest(token),
            last_four=tokens.last_four(token),
            valid_until=valid_until,
            provisional=provisional,
            replaces_id=replaces,
        )
        return row, token

    def keep(self, platform: Platform, token: str) -> "Credentials":
        """Store the token a platform gave the hub, in place of the one before."""
        self.outbound(platform).delete()
        return self.create(
            platform=platform,
            direction=Direction.OUT,
            sealed=tokens.seal(token),
            last_four=tokens.last_four(token),
        )


class Credentials(models.Model):
    """One credentials token."""

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="credentials")
    direction = models.CharField(max_length=3, choices=choices(Direction))
    kind = models.CharField(max_length=1, choices=choices(TokenKind), default=TokenKind.C.value)
    digest = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    sealed = models.TextField(blank=True, default="", editable=False)
    last_four = models.CharField(max_length=4, blank=True, default="")
    form = models.CharField(
        max_length=6,
        choices=choices(TokenForm),
        blank=True,
        default="",
        help_text="As last presented",
    )
    provisional = models.BooleanField(
        default=False, help_text="Sent to the platform, which has not confirmed it yet"
    )
    valid_from = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField(null=True, blank=True)
    first_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaces = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="successors",
        help_text="Until this one is used, that one may ask for it again",
    )

    objects = CredentialsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "credentials"
        ordering: ClassVar[list[str]] = ["platform", "-id"]
        constraints: ClassVar[list[Any]] = [
            one_of("direction", Direction, name="parties_credentials_direction"),
            one_of("kind", TokenKind, name="parties_credentials_kind"),
            models.CheckConstraint(
                condition=Q(direction=Direction.IN.value, digest__isnull=False, sealed="")
                | Q(
                    ~Q(sealed=""),
                    direction=Direction.OUT.value,
                    digest=None,
                    kind=TokenKind.C.value,
                ),
                name="parties_credentials_hash_in_sealed_out",
            ),
            models.UniqueConstraint(
                fields=["platform"],
                condition=Q(direction=Direction.IN.value, kind=TokenKind.A.value, revoked_at=None),
                name="parties_credentials_one_token_a",
            ),
            models.UniqueConstraint(
                fields=["platform"],
                condition=Q(direction=Direction.OUT.value),
                name="parties_credentials_one_outbound",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="parties_credentials_period",
            ),
        ]

    def __str__(self) -> str:
        return f"token {self.kind} {self.direction} …{self.last_four}"

    def __repr__(self) -> str:
        """Name the row, never its token."""
        return f"<Credentials {self.pk} {self}>"

    @property
    def token(self) -> str:
        """The outbound token, decrypted; an inbound one is not known to the hub."""
        if not self.sealed:
            message = "an inbound token is kept as a hash only"
            raise ValueError(message)
        return tokens.unseal(self.sealed)
