"""The page that reveals what identifies a driver, for a reason that the audit records.

Spec: 2.2.1 mod_tokens, CdrToken. It reveals stored objects; the message log has nothing to reveal,
as it masks before it writes.
"""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from console.base import action, page, pretty
from console.object_links import page_of
from hub.masking.personal import mask_in_text, mask_value, personal_members
from hub.models import StoredObject, Token
from ocpi.types import one_line
from operators.audit import record

log = logging.getLogger(__name__)
_PERMISSION = "hub.reveal_personal"
LONGEST_REASON = 200


class RevealPage:
    """Adds the page to the admin of Tokens, Sessions or CDRs, whose own pages are masked."""

    actions_detail = ("reveal",)

    def has_reveal_permission(self, request: HttpRequest, _: object = None) -> bool:
        """Allow it to those who may reveal; the theme asks before it shows the button."""
        return may_reveal(request)

    @action(
        description="Reveal personal data",
        url_path="reveal",
        icon="visibility",
        permissions=["reveal"],
    )
    def reveal(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason; on POST record it, then show the object."""
        row = get_object_or_404(self.model, pk=int(object_id) if object_id.isdecimal() else None)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        reason = one_line(request.POST.get("reason", ""), longest=LONGEST_REASON).strip()
        shown = _shown(row) if request.method == "POST" and reason else {}
        masked = _with_masked_name(row)
        if shown:
            reason = mask_in_text(reason, [value for _, value in shown["values"]])
            self.log_change(request, masked, f"Personal data revealed: {reason}")
            record("revealed", masked, after={"reason": reason})
            log.warning("%s revealed personal data of %s: %s", request.user, masked, reason)
        context = {"title": f"Personal data of {masked}", "back": page_of(row), **shown}
        return page(self, request, "console/reveal.html", **context)


def may_reveal(request: HttpRequest) -> bool:
    """Return whether an operator may see what identifies drivers."""
    user: Any = request.user
    return bool(user.has_perm(_PERMISSION))


def _shown(row: StoredObject) -> dict[str, Any]:
    text = row.text.encode()
    return {"values": personal_members(text), "document": pretty(text), "is_shown": True}


def _with_masked_name(row: StoredObject) -> StoredObject:
    """Mask the uid of a Token, which its name shows."""
    if isinstance(row, Token):
        row.object_id = mask_value(row.object_id)
    return row
