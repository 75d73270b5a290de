"""Holders: the name under which the hub files what belongs to a party at its platform.

Spec: 2.2.1 credentials, CredentialsRole class; A-30: the same country code and party id may be a
CPO at one platform and an eMSP at another, and neither may see what belongs to the other.
"""

from typing import Any, ClassVar

from django.db import models


class Holder(models.Model):
    """A party's key at one platform; the first platform with a key is filed under the key itself.

    The database gives each name once (`parties_holder_name`). A row outlives its platform until
    nothing is filed under its name any more: a later platform with the key inherits nothing.
    """

    key = models.CharField(max_length=6)
    platform = models.BigIntegerField(help_text="Its id, also when it is forgotten")
    name = models.CharField(max_length=26, unique=True, help_text="DE-MSA, or DE-MSA@17")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["key", "platform"], name="parties_holder_once"),
        ]

    def __str__(self) -> str:
        return self.name
