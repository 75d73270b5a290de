"""Deviations of a platform from the specification, as the hub met them.

`parties.deviations` knows which there are and what they mean.
"""

from typing import Any, ClassVar

from django.db import models

from parties.models.platform import Platform


class ObservedDeviation(models.Model):
    """One deviation of one platform: how often it was met, when, and the last example."""

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="deviations")
    deviation = models.CharField(max_length=30)
    times = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    example = models.TextField(blank=True, default="")

    class Meta:
        db_table = "parties_observedhabit"
        ordering: ClassVar[list[str]] = ["platform", "deviation"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["platform", "deviation"], name="parties_deviation_once")
        ]

    def __str__(self) -> str:
        return f"{self.deviation} of {self.platform}"
