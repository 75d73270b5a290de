"""Tokens, with uid and contract id masked; a token is found by its whole uid.

Spec: 2.2.1 mod_tokens.
"""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Right, Upper
from django.http import HttpRequest
from django.utils.safestring import SafeString

from console.base import Tone, badge, cached_per_row, column
from console.drivers import DriverPages
from console.filters import VersionFilter, owner_filter, word_filter
from console.object_links import charged_with
from console.related_tables import cdr_table, session_table
from console.reveal import RevealPage
from console.search import by_key
from console.stored_object import ABOUT, AS_SERVED, WHO_HAS_IT, StoredAdmin
from hub.masking.personal import mask_json, mask_value
from hub.models import Cdr, Session, Token
from hub.models.charging import ENDING
from hub.store.identity import object_key
from ocpi.types import ModuleID
from ocpi.versions import kept_type, values_of

_TYPES = values_of(ModuleID.TOKENS, "type")
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def _by_uid(rows: QuerySet[Token], words: str) -> Iterable[QuerySet[Any]]:
    """Find tokens of any type by their uid, or by its end as the message log has it."""
    if words.startswith(_ELLIPSIS):
        ending = Upper(Right("object_id", ENDING))
        yield rows.annotate(ending=ending).filter(ending=words.removeprefix(_ELLIPSIS).upper())
        return
    kind = kept_type(ModuleID.TOKENS)
    yield by_key(rows, *(object_key(kind, words, type_) for type_ in _TYPES))


@admin.register(Token)
class TokenAdmin(RevealPage, DriverPages, StoredAdmin[Token]):
    """Tokens, newest first."""

    list_display = (
        "uid",
        "owned",
        "type",
        "validity",
        "whitelist",
        "issuer",
        "contract",
        "updated",
        "noise_sum",
    )
    actions_list = ("export", "driver")
    list_filter = (
        owner_filter(ModuleID.TOKENS),
        word_filter("type", _TYPES),
        "valid",
        word_filter("whitelist", values_of(ModuleID.TOKENS, "whitelist")),
        VersionFilter,
        "updated_hour",
    )
    search_help_text = "Whole uid, its end like …CCDD, or party like DE-MSA"
    finder = staticmethod(_by_uid)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("uid", "owner"),
                    *ABOUT[1:],
                    ("type", "validity"),
                    ("whitelist", "issuer"),
                    "contract",
                )
            },
        ),
        ("Sessions", {"fields": ("sessions",)}),
        ("CDRs", {"fields": ("cdrs",)}),
        WHO_HAS_IT,
        AS_SERVED,
    )
    behind = {"sessions": Session, "cdrs": Cdr}

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Token | None:
        """Mask the ids, for every page of the token, once they have selected Sessions and CDRs."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.its_sessions = charged_with(Session.objects.all(), row)
            row.its_cdrs = charged_with(Cdr.objects.all(), row)
            self.complete([row])
        return cast("Token | None", row)

    def complete(self, rows: list[Token]) -> None:
        """Mask uid and contract id."""
        for row in rows:
            row.object_id, row.contract_id = mask_value(row.object_id), mask_value(row.contract_id)

    def served(self, row: Token) -> bytes:
        """Return the text without what identifies the driver."""
        return mask_json(row.text.encode())

    @column("Uid")
    def uid(self, row: Token) -> str:
        """Show the end of the uid."""
        return row.object_id

    @column("Contract")
    def contract(self, row: Token) -> str:
        """Show the end of the contract id."""
        return row.contract_id or "-"

    @column("Valid", order="valid")
    def validity(self, row: Token) -> SafeString:
        """Show whether it may charge."""
        return badge("valid", Tone.GOOD) if row.valid else badge("blocked", Tone.BAD)

    @column("")
    @cached_per_row
    def sessions(self, row: Any) -> SafeString:  # noqa: ANN401 - a row with what was charged
        """Show the newest sessions."""
        return session_table(row.its_sessions, token=row.pk)

    @column("")
    @cached_per_row
    def cdrs(self, row: Any) -> SafeString:  # noqa: ANN401 - a row with what was charged
        """Show the newest CDRs."""
        return cdr_table(row.its_cdrs, token=row.pk)
