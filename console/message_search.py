"""The search in the message log: its form, and one page of what it found.

The whole query is in the URL, so that it can be shared.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode

from hub.message_log import typed_times
from hub.message_log.entry import LoggedRoute
from hub.message_log.search import FAILED, LogPosition, MessagePage, MessageQuery, search
from hub.models import Exchange
from ocpi.status_codes import StatusCode
from ocpi.types import PartyRef
from ocpi.versions import known_modules
from parties.models import Party

MAX_SECONDS = 0.2
"""How long a page searches before it says how far back it came."""
_OFFERED = 2_000
"""Parties that a field suggests."""
_LONGEST = 255
_LARGEST_CODE = 2**31


class _ParsedField(forms.CharField):
    """A text that `parse` reads; its ValueError is shown beside the field."""

    def __init__(self, parse: Callable[[str], Any], **options: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(required=False, max_length=40, **options)
        self._parse = parse

    def clean(self, value: Any) -> Any:  # noqa: ANN401 - Django's signature
        """Return the parsed value; None if there is none."""
        text = super().clean(value)
        try:
            return self._parse(text) if text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def _code(text: str) -> str:
    if text != FAILED and not (text.isdecimal() and int(text) < _LARGEST_CODE):
        known = StatusCode.UNKNOWN_RECEIVER.value
        raise ValueError(f"{text!r} is no status code: write one like {known}, or {FAILED}")
    return text


def _words() -> forms.CharField:
    return forms.CharField(required=False, max_length=_LONGEST)


def _choices(nothing: str, *words: str) -> list[tuple[str, str]]:
    return [("", nothing), *((word, word) for word in words)]


def _choice(nothing: str, *words: str) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, choices=_choices(nothing, *words))


class ExplorerForm(forms.Form):
    """The query as it is in the URL."""

    q, object = _words(), _words()
    party = _ParsedField(lambda text: str(PartyRef.parse(text.upper())))
    module = forms.ChoiceField(
        required=False, choices=lambda: _choices("any", "versions", *known_modules())
    )
    status_code = _ParsedField(_code)
    direction = _choice("either", "in", "out")
    route = _choice("any", *LoggedRoute)
    since, until = _ParsedField(typed_times.moment), _ParsedField(typed_times.moment)
    before = _ParsedField(LogPosition.parse)

    def query(self) -> MessageQuery:
        """Return the query as the log takes it."""
        given = self.cleaned_data
        return MessageQuery(
            words=given["q"],
            object_id=given["object"],
            party=given["party"] or "",
            module=given["module"],
            code=given["status_code"] or "",
            direction=given["direction"],
            route=given["route"],
            since=given["since"],
            until=given["until"],
        )


class _OnePage(Paginator[Any]):
    """A page without a number; the link to older messages is below it."""

    template_name = "console/older.html"


class ExplorerChangeList(ChangeList):
    """A list of what was found; nothing is counted, and no row before the page is read."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:  # noqa: ANN401 - Django's signature
        """Read the form; the rows are found in `get_results`, without Django's filters."""
        del exclude_parameters
        self.form = ExplorerForm(request.GET)
        self.filter_specs: list[Any] = []
        self.has_filters = self.has_active_filters = False
        self.clear_all_filters_qs = "?"
        return Exchange.objects.none()

    def get_results(self, request: HttpRequest) -> None:
        """Find one page."""
        size, before = self.list_per_page, None
        self.found = MessagePage([])
        if self.form.is_valid():
            before = self.form.cleaned_data["before"]
            self.found = search(
                self.form.query(), limit=size, before=before, max_seconds=MAX_SECONDS
            )
        self.result_list = self.found.rows
        self.result_count = self.full_result_count = len(self.found.rows)
        self.show_full_result_count = False
        self.show_admin_actions = self.multi_page = self.can_show_all = False
        self.paginator = _OnePage(self.found.rows, size)
        asked = {
            name: str(value) for name, value in request.GET.items() if name != "before" and value
        }
        self.newest = f"?{urlencode(asked)}" if before else ""
        self.older = f"?{urlencode(asked | {'before': str(self.found.older)})}"

    @property
    def parties(self) -> QuerySet[Party, tuple[str, str, str]]:
        """Return the parties a field suggests."""
        return Party.objects.order_by("key").values_list("key", "role", "name")[:_OFFERED]
