"""Holders: under which name the hub files what is a party's, at the platform it has.

Spec: 2.2.1 credentials, CredentialsRole class; A-30: one country code and party id may be a CPO at
one platform and an eMSP at another, and neither is to see what is the other's.
"""

from typing import Any, ClassVar

from django.db import models


class Holder(models.Model):
    """A party's key at one platform: whoever had a key first is filed under the key itself.

    The database gives the names, and none twice (`parties_holder_name`): a row stays when its
    platform goes, until nothing is filed under it any more, so that a successor finds nothing.
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
