"""The message log as a list that can be searched: what is asked, and one page of answers.

The address says everything, so that it can be handed on.
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
"""For how long a page looks for rows before it says how far back it came."""
_OFFERED = 2_000
_LONGEST = 255
_LARGEST_CODE = 2**31


class _Read(forms.CharField):
    """A word that something else understands, or says what is wrong with."""

    def __init__(self, read: Callable[[str], Any], **options: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(required=False, max_length=40, **options)
        self._read = read

    def clean(self, value: Any) -> Any:  # noqa: ANN401 - Django's signature
        """Return what was understood."""
        text = super().clean(value)
        try:
            return self._read(text) if text else None
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
    """What is looked for, as the address says it."""

    q, object = _words(), _words()
    party = _Read(lambda text: str(PartyRef.parse(text.upper())))
    module = forms.ChoiceField(
        required=False, choices=lambda: _choices("any", "versions", *known_modules())
    )
    status_code = _Read(_code)
    direction = _choice("either", "in", "out")
    route = _choice("any", *LoggedRoute)
    since, until = _Read(typed_times.moment), _Read(typed_times.moment)
    before = _Read(LogPosition.parse)

    def query(self) -> MessageQuery:
        """Return what is looked for."""
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
    """A page without a number: what leads on stands below it."""

    template_name = "console/older.html"


class ExplorerChangeList(ChangeList):
    """A list of what was looked for; nothing is counted, and no row before the page is read."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:  # noqa: ANN401 - Django's signature
        """Narrow nothing: what is asked is the form's business."""
        del exclude_parameters
        self.form = ExplorerForm(request.GET)
        self.filter_specs: list[Any] = []
        self.has_filters = self.has_active_filters = False
        self.clear_all_filters_qs = "?"
        return Exchange.objects.none()

    def get_results(self, request: HttpRequest) -> None:
        """Look for one page."""
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
