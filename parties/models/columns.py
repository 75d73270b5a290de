"""Columns for the specification's enumerations and identifiers: their choices and constraints."""

from collections.abc import Iterable
from enum import StrEnum

from django.db.models import CharField, CheckConstraint, F, Q, TextField
from django.db.models.functions import Cast, Length, Upper
from django.db.models.lookups import Exact, Regex

LONGEST_MODULE = 36
"""Characters that a module's identifier may have; `invoicereconciliation` has 21."""
_MODULE_PATTERN = "[A-Za-z][A-Za-z0-9_-]*"


def choices(words: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """Return the choices of a column, each word labelled as it is on the wire."""
    return [(word.value, word.value) for word in words]


def one_of(field: str, words: Iterable[StrEnum], *, name: str) -> CheckConstraint:
    """Return a constraint: the column has one of these words."""
    allowed = sorted(word.value for word in words)
    return CheckConstraint(condition=Q(**{f"{field}__in": allowed}), name=name)


def module_field() -> CharField[str, str]:
    """Return a column for a module's identifier; no choices, as new modules need no migration."""
    return CharField(max_length=LONGEST_MODULE)


def module_name(field: str, *, name: str) -> CheckConstraint:
    """Return a constraint: the column has the form of a module's identifier."""
    return CheckConstraint(condition=Q(**{f"{field}__regex": f"^{_MODULE_PATTERN}$"}), name=name)


def module_names(field: str, *, name: str) -> CheckConstraint:
    """Return a constraint: every item of the array has the form of a module's identifier."""
    # Cast to text, an array is {cdrs,"not plain",NULL}: only plain words and NULL have no quotes.
    plain = f"(?!NULL){_MODULE_PATTERN}"
    condition = Regex(Cast(F(field), TextField()), rf"^\{{({plain}(,{plain})*)?\}}$")
    return CheckConstraint(condition=Q(condition), name=name)


def folded(field: str, *, length: int, name: str) -> CheckConstraint:
    """Return a constraint: the column is in upper case, as routing compares it, and this long."""
    condition = Q(Exact(F(field), Upper(field))) & Q(Exact(Length(field), length))
    return CheckConstraint(condition=condition, name=name)
