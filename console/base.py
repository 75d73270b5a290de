"""Building blocks of the console's pages: the theme's classes, lists, badges, tables, times.

The theme has no types, so type checkers see Django's classes of the same names.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from django.contrib.admin import display
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ocpi import shape

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ThemedAdmin
    from django.contrib.admin import TabularInline

    def action(**_: object) -> Callable[[Any], Any]:
        """Stand for the theme's decorator: it makes a method a page with a button."""
else:
    from unfold.admin import ModelAdmin as ThemedAdmin
    from unfold.admin import TabularInline
    from unfold.decorators import action

__all__ = [
    "CheckedChangeList",
    "ModelAdmin",
    "PageChangeList",
    "ReadOnly",
    "TabularInline",
    "Tone",
    "action",
    "ago",
    "badge",
    "badges",
    "cached_per_row",
    "column",
    "is_permitted",
    "laid_out",
    "may_view",
    "moment_text",
    "page",
    "pretty",
    "span",
    "table",
]

_NONE = "-"
_MOST_INDENTED = 32
"""Levels of nesting: indentation of deeper JSON would be longer than the JSON."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Tone(StrEnum):
    """What the colour of a badge says; the values are the theme's."""

    GOOD = "success"
    BUSY = "info"
    CARE = "warning"
    BAD = "danger"
    QUIET = "default"


_Row = TypeVar("_Row", bound=Model)
_COMPARISONS = frozenset({"exact", "isnull", "gte", "lt"})


class ModelAdmin(ThemedAdmin[_Row]):
    """A model's pages, whose lists are narrowed by their filters and by nothing else."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse a lookup that no filter makes: with others, masked values could be guessed."""
        del value
        column_name, _, comparison = lookup.rpartition("__")
        filters = {
            each if isinstance(each, str) else getattr(each, "parameter_name", None)
            for each in self.get_list_filter(request)
        }
        return lookup in filters or (
            column_name.removesuffix("__id") in filters and comparison in _COMPARISONS
        )


def page(admin: Any, request: HttpRequest, template: str, **shown: object) -> TemplateResponse:  # noqa: ANN401 - the admin of any model
    """Return a page of a model's admin beside those that Django has.

    No cache keeps it: `admin_view` adds `never_cache` to every answer of an admin.
    """
    context = {**admin.admin_site.each_context(request), "opts": admin.opts, **shown}
    return TemplateResponse(request, template, context)


class ReadOnly:
    """A page that shows rows and never changes them."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False


class CheckedChangeList(ChangeList):
    """A list that does not fail on a value in its URL that no column can have."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        """Filter the list; an impossible value leads to the unfiltered list."""
        with _lookups_checked():
            return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        """Read the page."""
        with _lookups_checked():
            super().get_results(request)


class PageChangeList(CheckedChangeList):
    """A list whose admin's `complete` adds what is in no column to all rows, or masks them."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then let `complete` of its admin add to the rows, or mask them."""
        super().get_results(request)
        rows = self.result_list = list(self.result_list)
        self.model_admin.complete(rows)  # type: ignore[attr-defined]


@contextmanager
def _lookups_checked() -> Iterator[None]:
    """Raise what Django answers with the unfiltered list: for words in place of numbers, a NUL."""
    try:
        yield
    except (ValueError, DataError) as error:
        raise IncorrectLookupParameters(error) from error


_Shown = TypeVar("_Shown", bound=Callable[..., object])


def column(title: str, *, order: str | None = None) -> Callable[[_Shown], _Shown]:
    """Give a method that shows something of a row its title, and the column to sort by."""
    return display(description=title, ordering=order)


def cached_per_row(method: _Shown) -> _Shown:
    """Compute a field of a row once: the theme calls its method up to five times for one page."""
    name = f"_shown_{method.__name__}"

    @wraps(method)
    def kept(page: object, row: Model) -> object:
        if name not in row.__dict__:
            row.__dict__[name] = method(page, row)
        return row.__dict__[name]

    return cast("_Shown", kept)


def badge(text: object, tone: Tone = Tone.QUIET, *, title: str = "") -> SafeString:
    """Show a word in a colour."""
    context = {
        "text": text,
        "type": tone.value,
        "label_title": title,
        "size": "md",
        "class": "hub-badge",
    }
    return render_to_string("unfold/helpers/label.html", context)


def badges(items: Iterable[tuple[object, Tone]]) -> SafeString:
    """Show some words in their colours, in one line as long as it fits."""
    inner = format_html_join(" ", "{}", ((badge(*item),) for item in items))
    return format_html('<span class="hub-badges">{}</span>', inner) if inner else SafeString(_NONE)


def ago(moment: datetime | None) -> SafeString | str:
    """Show how long ago it was, or in how long it is; the exact moment is in the tooltip."""
    if moment is None:
        return _NONE
    exact = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    seconds = (timezone.now() - moment).total_seconds()
    words = f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, words)


def moment_text(moment: datetime | None) -> str:
    """Show a moment to the minute."""
    return _NONE if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """Show a length of time in its largest unit, rounded down."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def laid_out(text: bytes) -> str:
    """Indent JSON; text that is cut, too deeply nested or no JSON is returned as it is."""
    try:
        if shape.levels(msgspec.json.decode(text)) <= _MOST_INDENTED:
            return msgspec.json.format(text, indent=2).decode()
    except (ValueError, RecursionError):
        pass
    return text.decode(errors="replace")


def pretty(text: bytes) -> SafeString:
    """Show JSON with line breaks, every value spelled as it was."""
    return format_html('<pre class="hub-wide hub-json" tabindex="0">{}</pre>', laid_out(text))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString:
    """Show a table."""
    context = {"table": {"headers": headers, "rows": [list(row) for row in rows]}}
    inner = render_to_string("unfold/components/table.html", context)
    return format_html('<div class="hub-wide">{}</div>', inner)


def is_permitted(request: HttpRequest, model: type[Model], *, verb: str = "change") -> bool:
    """Return whether the operator may `view`, `add`, `change` or `delete` rows of a model."""
    user: Any = request.user
    meta = model._meta  # noqa: SLF001 - a documented name of Django
    return bool(user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}"))


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    """Return whether the operator may see a model's rows; who may change them may see them."""
    return any(is_permitted(request, model, verb=verb) for verb in ("view", "change"))
