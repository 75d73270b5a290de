"""What a platform was seen to do its own way.

`parties.observed_habits` knows the habits and what they mean.
"""

from typing import Any, ClassVar

from django.db import models

from parties.models.platform import Platform


class ObservedHabit(models.Model):
    """One habit of one platform: how often it was met, when, and the last example."""

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="habits")
    habit = models.CharField(max_length=30)
    times = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    example = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["platform", "habit"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["platform", "habit"], name="parties_habit_once")
        ]

    def __str__(self) -> str:
        return f"{self.habit} of {self.platform}"
