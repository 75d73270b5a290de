"""The page of the matrix of agreements, whose selected pairs are activated or suspended at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from console.base import action, page
from parties import agreement_matrix
from parties.agreement_matrix import LETTERS, Cell, CellStatus, MatrixFilter
from parties.agreements import NoSuchAgreement, outside_period, set_state
from parties.models import Agreement, AgreementState
from parties.models.columns import choices
from parties.role_pairs import OWNERS, READERS

LONGEST_SEARCH = 60
_MOST_NAMED = 10
"""Agreements that a message names."""
_PAIR = re.compile("([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the selected pairs; `state` is the state that their agreements get."""

    title: str
    state: AgreementState
    consequence: str


_CHANGES: Mapping[str, _Change] = {
    "activate": _Change(
        "Activate",
        AgreementState.ACTIVE,
        "They exchange data at once: who newly has access gets a snapshot. Modules and periods"
        " stay as they are; a new agreement is about all modules, without limit.",
    ),
    "suspend": _Change(
        "Suspend",
        AgreementState.SUSPENDED,
        "Nothing passes between them any more, and what is queued is not sent.",
    ),
}


class MatrixFilterForm(forms.Form):
    """The filter of the matrix, from the query of the URL; an invalid value is ignored."""

    owners = forms.CharField(required=False, max_length=LONGEST_SEARCH)
    owner_role = forms.ChoiceField(
        required=False, choices=[("", "CPO and NAP"), *((role, role) for role in sorted(OWNERS))]
    )
    readers = forms.CharField(required=False, max_length=LONGEST_SEARCH)
    reader_role = forms.ChoiceField(
        required=False, choices=[("", "any role"), *((role, role) for role in sorted(READERS))]
    )
    state = forms.ChoiceField(
        required=False, choices=[("", "any or none"), *choices(AgreementState)]
    )
    row_page = forms.IntegerField(required=False, min_value=1)
    column_page = forms.IntegerField(required=False, min_value=1)

    def matrix_filter(self) -> MatrixFilter:
        """Return the filter, of the valid values."""
        self.is_valid()  # fills cleaned_data
        return MatrixFilter(**{name: value for name, value in self.cleaned_data.items() if value})


class MatrixPage:
    """Adds the matrix to the agreements' admin."""

    @action(description="Matrix", url_path="matrix", icon="grid_on")
    def matrix(self: Any, request: HttpRequest) -> HttpResponse:
        """Show the matrix; a POST asks about a selection, and once that is confirmed changes it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return _answer_selection(self, request)
        form = MatrixFilterForm(request.GET)
        matrix_filter = form.matrix_filter()
        found = agreement_matrix.read(matrix_filter)
        return page(
            self,
            request,
            "console/matrix.html",
            title="Agreements",
            form=form,
            matrix=found,
            rows=[
                {"party": party, "cells": cells}
                for party, cells in zip(found.rows.parties, found.cells, strict=True)
            ],
            turn=_neighbour_pages(
                replace(matrix_filter, row_page=found.rows.page, column_page=found.columns.page)
            ),
            legend=[(word, LETTERS[word]) for word in CellStatus],
            changes=_CHANGES if _may_change(self, request) else {},
        )


def _answer_selection(admin: Any, request: HttpRequest) -> HttpResponse:  # noqa: ANN401 - the agreements' admin
    """Ask whether the selected pairs are to be changed; once that is confirmed, change them."""
    if not _may_change(admin, request):
        raise PermissionDenied
    change, cells = _CHANGES.get(request.POST.get("change", "")), _selected(request)
    if change is None or not cells:
        admin.message_user(request, "Select at least one pair first.", messages.WARNING)
        return HttpResponseRedirect(request.get_full_path())
    to_change = [cell for cell in cells if _differs(cell, change)]
    if "confirmed" not in request.POST:
        return page(
            admin, request, "console/matrix_confirm.html", title=change.title,
            change=change, name=request.POST["change"], cells=to_change,
            same=len(cells) - len(to_change), back=request.get_full_path(),
        )  # fmt: skip
    try:
        sentence = _change_all(admin, request, change, to_change)
    except NoSuchAgreement as error:
        admin.message_user(request, f"Nothing was changed: {error}", messages.ERROR)
    else:
        admin.message_user(request, sentence, messages.SUCCESS)
    return HttpResponseRedirect(request.get_full_path())


def _change_all(admin: Any, request: HttpRequest, change: _Change, cells: Sequence[Cell]) -> str:  # noqa: ANN401 - the agreements' admin
    """Change all pairs or none; return a sentence, which names agreements outside their period."""
    without_effect = []
    with transaction.atomic():
        for cell in cells:
            before = cell.status
            agreement = set_state(cell.owner, cell.reader, state=change.state)
            _log_change(admin, request, agreement, before)
            if change.state is AgreementState.ACTIVE and outside_period(agreement):
                without_effect.append(f"{agreement} {outside_period(agreement)}")
    sentence = f"{len(cells)} agreements are {change.state} now."
    if not without_effect:
        return sentence
    return f"{sentence} Nothing passes: {'; '.join(without_effect[:_MOST_NAMED])}."


def _log_change(
    admin: Any,  # noqa: ANN401 - the agreements' admin
    request: HttpRequest,
    agreement: Agreement,
    before: CellStatus,
) -> None:
    sentence = f"{before} → {agreement.state}, in the matrix."
    log = admin.log_addition if before is CellStatus.NONE else admin.log_change
    log(request, agreement, sentence)


def _differs(cell: Cell, change: _Change) -> bool:
    """Return whether a change makes a difference to a pair."""
    if cell.agreement is None:
        # Where access is open, a pair without an agreement exchanges data: suspending adds one.
        return change.state is AgreementState.ACTIVE or settings.HUB_ACCESS == "open"
    return bool(cell.agreement.state != change.state)


def _selected(request: HttpRequest) -> list[Cell]:
    found = map(_PAIR.fullmatch, request.POST.getlist("pair"))
    return agreement_matrix.cells_of((int(pair[1]), int(pair[2])) for pair in found if pair)


def _may_change(admin: Any, request: HttpRequest) -> bool:  # noqa: ANN401 - the agreements' admin
    return bool(admin.has_change_permission(request) and admin.has_add_permission(request))


def _neighbour_pages(matrix_filter: MatrixFilter) -> Mapping[str, Any]:
    """Return the addresses of the pages above, below, left and right of this one."""

    def address(**change: int) -> str:
        named = {
            name: getattr(matrix_filter, name) for name in MatrixFilter.__dataclass_fields__
        } | change
        return f"?{urlencode({name: value for name, value in named.items() if value})}"

    return {
        "up": address(row_page=matrix_filter.row_page - 1),
        "down": address(row_page=matrix_filter.row_page + 1),
        "left": address(column_page=matrix_filter.column_page - 1),
        "right": address(column_page=matrix_filter.column_page + 1),
    }
