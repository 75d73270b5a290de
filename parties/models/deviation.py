"""Deviations of a platform from the specification, as the hub met them.

`parties.deviations` knows which there are and what they mean.
"""

from typing import Any, ClassVar

from django.db import models

from parties.models.platform import Platform


class ObservedDeviation(models.Model):
    """One deviation of one platform, in what: how often it was met, when, and the last example."""

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="deviations")
    deviation = models.CharField(max_length=30)
    about = models.CharField(max_length=60, blank=True, default="")
    times = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    example = models.TextField(blank=True, default="")

    class Meta:
        db_table = "parties_observedhabit"
        ordering: ClassVar[list[str]] = ["platform", "deviation", "about"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["platform", "deviation", "about"], name="parties_deviation_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.deviation} of {self.platform}"
