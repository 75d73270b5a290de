"""The page that says whether two parties may exchange a module, and why not.

The answer comes from `parties.access`, which decides on messages too.
"""

from itertools import permutations
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from console.base import action, page
from ocpi.types import ModuleID, PartyRef
from ocpi.versions import known_modules
from parties.access import Verdict, explain
from parties.agreements import objections
from parties.models import Agreement, Party

_OFFERED = 2_000
"""Parties that a field suggests; others can be typed."""


class QuestionForm(forms.Form):
    """Two parties and a module."""

    one = forms.CharField(max_length=6)
    other = forms.CharField(max_length=6)
    module = forms.ChoiceField(
        choices=lambda: [(name, name) for name in known_modules(functional=True)]
    )

    def clean_one(self) -> PartyRef:
        """Read the first party."""
        return _party(self.cleaned_data["one"])

    def clean_other(self) -> PartyRef:
        """Read the second party."""
        return _party(self.cleaned_data["other"])


class ExplainPage:
    """Adds the page to the agreements' admin."""

    @action(description="Explain", url_path="explain", icon="help")
    def explain(self: Any, request: HttpRequest) -> HttpResponse:
        """Show the form, and the answer once it is filled in."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = QuestionForm(request.GET or None)
        keys = Party.objects.order_by("key").values_list("key", "role", "name")[:_OFFERED]
        context: dict[str, Any] = {"title": "Explain", "form": form, "keys": keys}
        if form.is_valid():
            context |= _answer(**form.cleaned_data)
        return page(self, request, "console/explain.html", **context)


def _answer(one: PartyRef, other: PartyRef, module: str) -> dict[str, Any]:
    found: Verdict = explain(one, other, ModuleID(module))
    keys = [str(one), str(other)]
    parties = list(Party.objects.filter(key__in=keys).select_related("platform"))
    agreements = Agreement.objects.filter(cpo__in=parties, emsp__in=parties)
    fitting = [pair for pair in permutations(parties, 2) if not list(objections(*pair, ()))]
    return {
        "verdict": found,
        "parties": parties,
        "agreements": agreements.select_related("cpo", "emsp"),
        "fitting": fitting[0] if fitting else None,
        "keys_asked": keys,
        "asked": {"one": keys[0], "other": keys[1], "module": module},
    }


def _party(text: str) -> PartyRef:
    try:
        return PartyRef.parse(text.strip())
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None
