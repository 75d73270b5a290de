"""Columns for the specification's enumerations and identifiers: their choices and constraints."""

from collections.abc import Iterable
from enum import StrEnum

from django.db.models import CharField, CheckConstraint, F, Q, TextField
from django.db.models.functions import Cast, Length, Upper
from django.db.models.lookups import Exact, Regex

LONGEST_MODULE = 36
"""Characters of a module's identifier; `invoicereconciliation` has 21."""
_MODULE = "[A-Za-z][A-Za-z0-9_-]*"


def choices(words: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """Offer the words as they are on the wire."""
    return [(word.value, word.value) for word in words]


def one_of(field: str, words: Iterable[StrEnum], *, name: str) -> CheckConstraint:
    """Let the database refuse any other word."""
    allowed = sorted(word.value for word in words)
    return CheckConstraint(condition=Q(**{f"{field}__in": allowed}), name=name)


def module_field() -> CharField[str, str]:
    """Hold the identifier of a module; which there are, the declarations say."""
    return CharField(max_length=LONGEST_MODULE)


def module_name(field: str, *, name: str) -> CheckConstraint:
    """Let the database refuse what is no identifier of a module, whichever there are."""
    return CheckConstraint(condition=Q(**{f"{field}__regex": f"^{_MODULE}$"}), name=name)


def module_names(field: str, *, name: str) -> CheckConstraint:
    """Let the database refuse a list with anything else in it."""
    # As text PostgreSQL puts quotes around whatever is not a plain word, and none around NULL.
    plain = f"(?!NULL){_MODULE}"
    condition = Regex(Cast(F(field), TextField()), rf"^\{{({plain}(,{plain})*)?\}}$")
    return CheckConstraint(condition=Q(condition), name=name)


def folded(field: str, *, length: int, name: str) -> CheckConstraint:
    """Let the database refuse a routing key that is not upper case or not this long."""
    condition = Q(Exact(F(field), Upper(field))) & Q(Exact(Length(field), length))
    return CheckConstraint(condition=condition, name=name)
