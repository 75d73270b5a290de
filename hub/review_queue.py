"""Review queues: rows that wait for an operator's decision, in dead letters and the quarantine.

How rows are chosen and discarded, and how the audit records that.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from ocpi.types import PartyRef
from operators import audit as operators_audit

_MOST_AUDITED_IDS = 1_000
_DELETED_AT_ONCE = 1_000

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class ReviewQueue(Generic[Row]):
    """The rows of a table as a queue.

    `things` is what the audit calls them; `party` and `module` are the paths of their columns for a
    filter, and `owned` that of a name which begins with a party and a slash.
    """

    model: type[Row]
    things: str
    party: str
    module: str
    owned: str = ""

    def chosen(
        self,
        *,
        ids: Collection[int] | None = None,
        party: str | None = None,
        module: str | None = None,
    ) -> QuerySet[Row]:
        """Return the rows that meet all the conditions that are given."""
        rows = self._rows()
        if ids:
            rows = rows.filter(pk__in=ids)
        if party:
            rows = rows.filter(self._is_of(str(PartyRef.parse(party))))
        return rows.filter(**{self.module: module}) if module else rows

    def _is_of(self, party: str) -> Q:
        named = Q(**{self.party: party})
        return named | Q(**{f"{self.owned}__startswith": f"{party}/"}) if self.owned else named

    def discard(
        self, rows: QuerySet[Row], *, report: Callable[[int, int], object] = lambda *_: None
    ) -> int:
        """Delete rows and return their number; `report` gets the numbers done and to do."""
        ids = list(rows.order_by("pk").values_list("pk", flat=True))
        self.audit("discarded", ids)
        number = 0
        for start in range(0, len(ids), _DELETED_AT_ONCE):
            number += self._rows().filter(pk__in=ids[start : start + _DELETED_AT_ONCE]).delete()[0]
            report(min(start + _DELETED_AT_ONCE, len(ids)), len(ids))
        return number

    def audit(self, words: str, ids: Collection[int]) -> None:
        """Record in the audit what an operator does with rows: their ids, parties and modules."""
        of = self._rows().filter(pk__in=ids).values_list(self.party, self.module)
        which = {
            "ids": list(ids)[:_MOST_AUDITED_IDS],
            "of": sorted(f"{key} {module}" for key, module in of.order_by().distinct()),
        }
        subject = f"{len(ids):,} {self.things}"
        operators_audit.record(words, subject, before=which, kind=self.model._meta.label)  # noqa: SLF001 - a documented name of Django

    def _rows(self) -> QuerySet[Row]:
        return self.model._default_manager.all()  # noqa: SLF001 - a documented name of Django
