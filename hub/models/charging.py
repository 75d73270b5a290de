"""Tariffs, tokens, sessions and CDRs as they are stored.

Spec: 2.2.1 mod_tariffs, mod_tokens, mod_sessions, mod_cdrs. Ids of other objects are folded, like
the keys of those objects.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now, Right, Upper

from hub.models.stored import (
    BY_CHANGE,
    BY_CHANGED_HOUR,
    BY_HOUR,
    BY_LAST_UPDATED,
    Busy,
    StoredObject,
)

ERASED = "ERASED"
"""Replaces what was erased: a valid value of each field of OCPI that identifies a driver."""
ENDING = 4
"""How many characters at the end of a token's uid the message log keeps."""


class RandomUUID(models.Func):
    """A random UUID made by PostgreSQL."""

    template = "gen_random_uuid()"
    output_field = models.UUIDField()


class Tariff(StoredObject):
    """A Tariff. Spec: 2.2.1 mod_tariffs."""

    currency = models.TextField(blank=True, default="")
    type = models.TextField(blank=True, default="")

    class Meta(StoredObject.Meta):
        verbose_name_plural = "tariffs"
        indexes: ClassVar[list[models.Index]] = [
            *StoredObject.Meta.indexes,
            BY_LAST_UPDATED,
            BY_CHANGE,
        ]


class Token(Busy, StoredObject):
    """A Token; its type is part of its key. Spec: 2.2.1 mod_tokens."""

    type = models.TextField(blank=True, default="")
    valid = models.BooleanField(default=True)
    whitelist = models.TextField(blank=True, default="")
    issuer = models.TextField(blank=True, default="")
    contract_id = models.TextField("contract id", blank=True, default="")

    class Meta(StoredObject.Meta):
        verbose_name_plural = "tokens"
        indexes: ClassVar[list[models.Index]] = [
            *StoredObject.Meta.indexes,
            BY_HOUR,
            BY_CHANGED_HOUR,
            models.Index(Upper(Right("object_id", ENDING)), name="hub_token_ending"),
            models.Index(Upper("contract_id"), name="hub_token_contract"),
            models.Index(
                fields=["seq"],
                condition=models.Q(valid=False) | models.Q(missed__gte=2),
                name="hub_token_ended",
            ),
        ]
        permissions = (
            ("reveal_personal", "Can see what identifies a driver; each time is recorded"),
            ("export_objects", "Can take whole lists away as files; each time is recorded"),
            ("erase_driver", "Can erase a driver's data; each time is recorded"),
            ("export_driver", "Can take a driver's data away; each time is recorded"),
        )


class Charged(StoredObject):
    """What a Session and a CDR have in common: who charged where with which token, and when.

    `audience` is the party it was sent to, `recipient` the owner of its token, for whom it is.
    """

    recipient = models.CharField(max_length=26, blank=True, default="")
    token_key = models.TextField("token", blank=True, default="")
    contract_key = models.TextField("contract", blank=True, default="", db_default="")
    location_key = models.TextField("location", blank=True, default="")
    evse_key = models.TextField("EVSE", blank=True, default="")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    kwh = models.FloatField("kWh", null=True)
    cost = models.FloatField("cost without VAT", null=True)
    currency = models.TextField(blank=True, default="")

    SIDES = (*StoredObject.SIDES, "recipient")

    class Meta(StoredObject.Meta):
        abstract = True
        indexes: ClassVar[list[models.Index]] = [
            *StoredObject.Meta.indexes,
            models.Index(fields=["token_key"], name="%(app_label)s_%(class)s_token"),
            models.Index(
                fields=["contract_key"],
                condition=~models.Q(contract_key=""),
                name="%(app_label)s_%(class)s_contract",
            ),
            models.Index(fields=["location_key"], name="%(app_label)s_%(class)s_location"),
            models.Index(fields=["version"], name="%(app_label)s_%(class)s_version"),
        ]


class Session(Busy, Charged):
    """A charging Session. Spec: 2.2.1 mod_sessions."""

    status = models.TextField(blank=True, default="")

    class Meta(Charged.Meta):
        verbose_name_plural = "sessions"
        indexes: ClassVar[list[models.Index]] = [*Charged.Meta.indexes, BY_HOUR, BY_CHANGED_HOUR]


class Cdr(Charged):
    """A Charge Detail Record, which never changes. Spec: 2.2.1 mod_cdrs.

    `reference` is in the URL that its owner gets as `Location`. `remote_location` is the `Location`
    that the receiver answered where the CDR was addressed to it; empty if it named none.
    """

    session_key = models.TextField("session", blank=True, default="", db_index=True)
    credit = models.BooleanField(default=False)
    reference = models.UUIDField(unique=True, db_default=RandomUUID(), editable=False)
    remote_location = models.TextField(blank=True, db_default="")
    posted_at = models.DateTimeField(db_default=Now())

    class Meta(Charged.Meta):
        verbose_name = "CDR"
        verbose_name_plural = "CDRs"
        indexes: ClassVar[list[models.Index]] = [
            *Charged.Meta.indexes,
            BY_LAST_UPDATED,
            BY_CHANGE,
            BrinIndex(fields=["posted_at"], autosummarize=True, name="hub_cdr_posted"),
            BrinIndex(fields=["ended_at"], autosummarize=True, name="hub_cdr_ended"),
            models.Index(fields=["seq"], condition=models.Q(credit=True), name="hub_cdr_credit"),
            models.Index(
                fields=["posted_at"],
                condition=~models.Q(token_key=ERASED),
                name="hub_cdr_named",
            ),
        ]
