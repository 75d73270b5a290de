"""Lists of millions: pages as far as anybody leafs, and no row counted beyond them."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest

from parties.admin.console import PageChangeList

MOST = 10_000


class BoundedPaginator(Paginator[Any]):
    """Pages of the first rows; how many there are beyond is not asked."""

    template_name = "hub/pages.html"
    most = MOST

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list
        number: int = rows.order_by()[: self.most + 1].count()
        return number

    @cached_property
    def count(self) -> int:
        """Count what is on the pages."""
        return min(self._found, self.most)

    @property
    def is_cut(self) -> bool:
        """Tell whether there are rows beyond the last page."""
        return self._found > self.most


class BoundedChangeList(PageChangeList):
    """A list that says how many rows there are below it alone, where it says it right."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page; the theme's head line has nothing to compare."""
        super().get_results(request)
        self.full_result_count = self.result_count
