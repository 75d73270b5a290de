"""How the closed lists of the specification become choices and constraints of a table."""

from collections.abc import Iterable
from enum import StrEnum

from django.db.models import CheckConstraint, F, Q
from django.db.models.functions import Length, Upper
from django.db.models.lookups import Exact


def choices(words: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """Offer the words as they are on the wire."""
    return [(word.value, word.value) for word in words]


def one_of(field: str, words: Iterable[StrEnum], *, name: str) -> CheckConstraint:
    """Let the database refuse any other word."""
    allowed = sorted(word.value for word in words)
    return CheckConstraint(condition=Q(**{f"{field}__in": allowed}), name=name)


def folded(field: str, *, length: int, name: str) -> CheckConstraint:
    """Let the database refuse a routing key that is not upper case or not this long."""
    condition = Q(Exact(F(field), Upper(field))) & Q(Exact(Length(field), length))
    return CheckConstraint(condition=condition, name=name)
