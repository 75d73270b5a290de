"""Roaming agreements: which two parties may exchange data, of which modules, and when.

Default-deny: nothing passes without one, unless `HUB_ACCESS` is `open`.
"""

from enum import StrEnum
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from parties.models.columns import choices, module_field, module_names, one_of
from parties.models.party import Party


class AgreementState(StrEnum):
    """What has become of an agreement."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"


class Agreement(models.Model):
    """A CPO-like and an eMSP-like party that agreed to exchange data through the hub."""

    cpo = models.ForeignKey(
        Party, models.CASCADE, related_name="agreements_as_cpo", verbose_name="CPO or NAP"
    )
    emsp = models.ForeignKey(
        Party,
        models.CASCADE,
        related_name="agreements_as_emsp",
        verbose_name="eMSP, NSP, NAP, SCSP or OTHER",
    )
    state = models.CharField(
        max_length=9, choices=choices(AgreementState), default=AgreementState.ACTIVE.value
    )
    modules = ArrayField(
        module_field(),
        blank=True,
        default=list,
        help_text="Empty: all modules",
    )
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["cpo", "emsp"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["cpo", "emsp"], name="parties_agreement_once"),
            one_of("state", AgreementState, name="parties_agreement_state"),
            models.CheckConstraint(
                condition=~Q(cpo=F("emsp")), name="parties_agreement_two_parties"
            ),
            module_names("modules", name="parties_agreement_modules"),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gt=F("valid_from")),
                name="parties_agreement_period",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cpo.ref} - {self.emsp.ref}"
