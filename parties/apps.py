"""The parties as a Django application."""

from typing import Any

from django.apps import AppConfig
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from parties.signals import agreement_changed, announce


class PartiesConfig(AppConfig):
    """Signals every change of an agreement, whatever code made it."""

    name = "parties"
    verbose_name = "Parties"

    def ready(self) -> None:
        """Have `agreement_changed` sent for every saved or deleted agreement."""
        agreement: Any = self.get_model("Agreement")
        for signal in (post_save, post_delete):
            signal.connect(_agreement_changed, sender=agreement, dispatch_uid="parties")


def _agreement_changed(sender: type, instance: Model, **_: object) -> None:
    announce(agreement_changed, sender, agreement_id=instance.pk)
