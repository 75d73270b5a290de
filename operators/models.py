"""The tables of operators: the audit, their sessions, second factors, known networks.

A row of the audit is one change to the hub's configuration, or one event of a log-in, and is never
changed itself; but repeated failures are one row with a number.
"""

import logging
import time
from base64 import b32encode
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from operators.encryption import Undecryptable, seal, unseal

log = logging.getLogger(__name__)
LONGEST_BROWSER = 200
"""Characters kept of what a browser says it is."""


class Change(models.Model):
    """Who changed what, when, and what it was before and after."""

    at = models.DateTimeField(db_default=Now(), editable=False, db_index=True)
    who = models.CharField(max_length=150, db_index=True)
    channel = models.CharField(max_length=12)
    address = models.GenericIPAddressField(null=True)
    doing = models.CharField(max_length=200, blank=True, default="")
    action = models.CharField(max_length=60)
    times = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40, blank=True, default="")
    subject = models.CharField(max_length=200)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["kind", "object_id"], name="operators_change_object")
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.action} {self.subject}"

    @property
    def did(self) -> str:
        """What was done, and how often if it was repeated."""
        return self.action if self.times == 1 else f"{self.action} ({self.times} times)"


class ConsoleSession(AbstractBaseSession):
    """A browser at the console; of its id only a hash: a copy of the table gives no access."""

    user = models.ForeignKey("auth.User", models.CASCADE, null=True)
    since = models.DateTimeField()
    seen = models.DateTimeField(db_index=True)
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=LONGEST_BROWSER, blank=True, default="")

    class Meta:
        verbose_name = "session"
        ordering: ClassVar[list[str]] = ["-seen"]

    def __str__(self) -> str:
        return f"session {self.session_key[:8]}"


class Authenticator(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc] # published without types
    """The app (TOTP, RFC 6238) that is somebody's second factor; its seed is sealed."""

    # As apps expect: seconds of a code, when they are counted from, its digits; and how many codes
    # a clock may be off.
    step, t0, digits, tolerance = 30, 0, 6, 1
    sealed = models.TextField()
    last_t = models.BigIntegerField(default=-1)
    drift = models.SmallIntegerField(default=0)

    class Meta(Device.Meta):  # type: ignore[misc] # published without types
        verbose_name = "second factor"

    @property
    def bin_key(self) -> bytes:
        """The seed."""
        return bytes.fromhex(unseal(self.sealed))

    @classmethod
    def from_seed(cls, seed: bytes, **fields: object) -> "Authenticator":
        """Return a new one, not saved; its seed is sealed."""
        return cls(sealed=seal(seed.hex()), name="app", **fields)

    def verify_token(self, code: str) -> bool:
        """Accept a code once; after a wrong one the next has to wait."""
        allowed, _ = self.verify_is_allowed()
        if not allowed:
            return False
        totp = self._totp()
        if totp is None or not (
            code.isdecimal()
            and len(code) == self.digits
            and totp.verify(int(code), self.tolerance, self.last_t + 1)
        ):
            self.throttle_increment()
            return False
        self.last_t, self.drift = totp.t(), totp.drift
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def _totp(self) -> Any:  # noqa: ANN401 - published without types
        """Return the code generator as the app has it now; None if no key opens the seed."""
        try:
            totp = TOTP(self.bin_key, self.step, self.t0, self.digits, self.drift)
        except Undecryptable:
            log.error("CREDENTIALS_KEYS: none opens the %s", self)  # noqa: TRY400 - one line
            return None
        totp.time = time.time()
        return totp

    def get_throttle_factor(self) -> int:
        """Return the seconds that the first wrong code costs; each further one twice as many."""
        return 1

    @property
    def config_url(self) -> str:
        """The URL that an app reads from the QR code."""
        issuer = settings.HUB_NAME.replace(":", "")
        query = urlencode(
            {"secret": b32encode(self.bin_key).decode(), "issuer": issuer}, quote_via=quote
        )
        return f"otpauth://totp/{quote(f'{issuer}:{self.user.get_username()}')}?{query}"


class KnownNetwork(models.Model):
    """A network from which somebody logged in: strangers' failures do not lock it out."""

    user = models.ForeignKey("auth.User", models.CASCADE)
    network = models.GenericIPAddressField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["user", "network"], name="operators_known_network")
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.network}"


class Identity(models.Model):
    """A user's subject at an identity provider: e-mail addresses change hands, subjects do not."""

    user = models.OneToOneField("auth.User", models.CASCADE)
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="operators_subject")
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
