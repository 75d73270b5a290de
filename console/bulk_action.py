"""Actions on many rows of a list, confirmed on a page that says how many and what will happen.

Rows that come to the list while somebody reads that page are left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from console.base import page

_SHOWN = 20
"""Groups of rows that the page lists, the largest first."""
_NUMBER = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action: its title, what its rows are called, and what it leads to.

    `by` names the columns by which the page counts the rows in groups.
    """

    title: str
    things: str
    consequences: Sequence[str]
    by: Sequence[str]
    dangerous: bool = False


def confirmed(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
    """Return the rows for which the action was confirmed; None if it was not yet."""
    newest = request.POST.get("up_to", "")
    return rows.filter(pk__lte=int(newest)) if _NUMBER.fullmatch(newest) else None


def ask(admin: Any, request: HttpRequest, rows: QuerySet[Any], bulk: Bulk) -> TemplateResponse:  # noqa: ANN401 - the admin of any list
    """Return the page that says how many rows there are, of whom, and what will happen."""
    found = rows.order_by().aggregate(number=Count("pk"), newest=Max("pk"))
    groups = rows.order_by().values_list(*bulk.by).annotate(number=Count("pk"))
    listed = list(groups.order_by("-number", *bulk.by)[: _SHOWN + 1])
    context = {
        "title": f"{bulk.title}: {found['number']:,} {bulk.things}",
        "bulk": bulk,
        "number": found["number"],
        "newest": found["newest"] or 0,
        "groups": [(" ".join(map(str, group[:-1])), f"{group[-1]:,}") for group in listed[:_SHOWN]],
        "is_cut": len(listed) > _SHOWN,
        "action": request.POST.get("action", ""),
        "across": request.POST.get("select_across", "0"),
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "back": request.get_full_path(),
    }
    return page(admin, request, "console/bulk.html", **context)
