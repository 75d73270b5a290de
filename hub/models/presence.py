"""When the hub's web processes were there last: what nobody can ask who is not."""

from django.db import models


class Presence(models.Model):
    """One row, written every few seconds while somebody could reach the hub and its database."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"there at {self.at}"
