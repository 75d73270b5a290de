"""What identifies a driver, shown to who may see it: asked for, with a reason, and recorded.

Spec: 2.2.1 mod_tokens, CdrToken. It is shown of what the hub stores as it was sent; the message log
has nothing to reveal.
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


class Reveals:
    """Adds the way to what the page of a Token, Session or CDR masks."""

    actions_detail = ("reveal",)

    def has_reveal_permission(self, request: HttpRequest, _: object = None) -> bool:
        """Let in who may reveal; a permission by name the theme would look for without tables."""
        return may_reveal(request)

    @action(
        description="Reveal personal data",
        url_path="reveal",
        icon="visibility",
        permissions=["reveal"],
    )
    def reveal(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason; on POST record it, then show."""
        row = get_object_or_404(self.model, pk=int(object_id) if object_id.isdecimal() else None)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        reason = one_line(request.POST.get("reason", ""), longest=LONGEST_REASON).strip()
        shown = _shown(row) if request.method == "POST" and reason else {}
        about = _without_personal(row)
        if shown:
            reason = mask_in_text(reason, [value for _, value in shown["values"]])
            self.log_change(request, about, f"Personal data revealed: {reason}")
            record("revealed", about, after={"reason": reason})
            log.warning("%s revealed personal data of %s: %s", request.user, about, reason)
        context = {"title": f"Personal data of {about}", "back": page_of(row), **shown}
        return page(self, request, "console/reveal.html", **context)


def may_reveal(request: HttpRequest) -> bool:
    """Return whether an operator may see what identifies drivers."""
    user: Any = request.user
    return bool(user.has_perm(_PERMISSION))


def _shown(row: StoredObject) -> dict[str, Any]:
    text = row.text.encode()
    return {"values": personal_members(text), "document": pretty(text), "is_shown": True}


def _without_personal(row: StoredObject) -> StoredObject:
    """Take off the row what its name would say."""
    if isinstance(row, Token):
        row.object_id = mask_value(row.object_id)
    return row
