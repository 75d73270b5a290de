"""Review queues: rows that wait for an operator's decision, in dead letters and the quarantine.

Which of them, discarding them, and writing that into the audit.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from ocpi.types import PartyRef
from operators import audit as operators_audit

_AUDITED = 1_000
_BATCH = 1_000


Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class ReviewQueue(Generic[Row]):
    """The rows of a table that wait; `party` and `module` name whose and what each is about."""

    model: type[Row]
    things: str
    party: str
    module: str

    def chosen(
        self,
        *,
        ids: Collection[int] | None = None,
        party: str | None = None,
        module: str | None = None,
    ) -> QuerySet[Row]:
        """Return the rows with these ids, of this party, of this module: of all that is said."""
        rows = self._rows()
        if ids:
            rows = rows.filter(pk__in=ids)
        if party:
            rows = rows.filter(**{self.party: str(PartyRef.parse(party))})
        return rows.filter(**{self.module: module}) if module else rows

    def discard(
        self, rows: QuerySet[Row], *, report: Callable[[int, int], object] = lambda *_: None
    ) -> int:
        """Forget rows, and count them; report how many of all of them are gone."""
        ids = list(rows.order_by("pk").values_list("pk", flat=True))
        self.audit("discarded", ids)
        number = 0
        for start in range(0, len(ids), _BATCH):
            number += self._rows().filter(pk__in=ids[start : start + _BATCH]).delete()[0]
            report(min(start + _BATCH, len(ids)), len(ids))
        return number

    def audit(self, words: str, ids: Collection[int]) -> None:
        """Write down what an operator does with rows: which, whose, and how many."""
        of = self._rows().filter(pk__in=ids).values_list(self.party, self.module)
        which = {
            "ids": list(ids)[:_AUDITED],
            "of": sorted(f"{key} {module}" for key, module in of.order_by().distinct()),
        }
        subject = f"{len(ids):,} {self.things}"
        operators_audit.record(words, subject, before=which, kind=self.model._meta.label)  # noqa: SLF001 - a documented name of Django

    def _rows(self) -> QuerySet[Row]:
        return self.model._default_manager.all()  # noqa: SLF001 - a documented name of Django
