"""Lists of millions of rows: only the first have pages, and no row is counted beyond them."""

from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from console.base import PageChangeList

MOST = 10_000
"""Rows that have pages, or that are sorted by a column."""


class BoundedPaginator(Paginator[Any]):
    """Pages of the first rows; how many there are beyond them is not asked."""

    template_name = "console/pages.html"
    most = MOST

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list
        number: int = rows.order_by()[: self.most + 1].count()
        return number

    @cached_property
    def count(self) -> int:
        """How many rows are on the pages."""
        return min(self._found, self.most)

    @property
    def is_cut(self) -> bool:
        """Whether there are rows beyond the last page."""
        return self._found > self.most


class BoundedChangeList(PageChangeList):
    """A list that is sorted by a column only if it is short: not every column has an index."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        """Search, filter and sort; show a message if there is too much to sort."""
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        if ORDER_VAR not in self.params or rows.order_by()[: MOST + 1].count() <= MOST:
            return rows
        del self.params[ORDER_VAR]
        messages.info(request, f"Lists of more than {MOST:,} are not sorted: narrow it first.")
        return rows.order_by(*self.get_ordering(request, rows))

    def get_results(self, request: HttpRequest) -> None:
        """Read the page."""
        super().get_results(request)
        # The theme shows the full number beside the one found where they differ.
        self.full_result_count = self.result_count
