"""Links between objects, by the keys in Sessions and CDRs; each is found by an index.

Spec: 2.2.1 mod_sessions, mod_cdrs: `cdr_token`, `location_id`, `session_id`.
"""

from collections.abc import Collection, Mapping
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.models import Cdr, Location, Session, StoredObject, Token
from hub.models.charging import Charged
from hub.module_policy import word
from hub.store.identity import object_key
from ocpi.types import ModuleID, fold
from ocpi.versions import kept_type

_LONGEST = 16
_LONGEST_LINK = 40
"""Characters of an id that are shown."""
_MOST_CDRS = 20
_Row = TypeVar("_Row", bound=StoredObject)
_ChargedRow = TypeVar("_ChargedRow", bound=Charged)
_token_type = word("cdr_token", "type")


def charged_with(rows: QuerySet[_ChargedRow], token: Token) -> QuerySet[_ChargedRow]:
    """Keep the Sessions or CDRs with a token's uid."""
    return rows.filter(token_key=fold(token.object_id), recipient=token.owner)


def charged_at(rows: QuerySet[_ChargedRow], location: Location) -> QuerySet[_ChargedRow]:
    """Keep the Sessions or CDRs of a location."""
    return rows.filter(location_key=location.object_key, owner=location.owner)


def token_of(row: Charged, decoded: Mapping[str, object]) -> Token | None:
    """Find the token of a Session or CDR; its type is only in their text."""
    key = object_key(kept_type(ModuleID.TOKENS), row.token_key, str(_token_type(decoded)))
    return _variant(Token, owner=row.recipient, key=key, audience=row.owner)


def location_of(row: Charged) -> Location | None:
    """Find the location of a Session or CDR."""
    return _variant(Location, owner=row.owner, key=row.location_key, audience=row.recipient)


def session_of(cdr: Cdr) -> Session | None:
    """Find the session of a CDR."""
    return _variant(Session, owner=cdr.owner, key=cdr.session_key, audience=cdr.audience)


def _variant(model: type[_Row], *, owner: str, key: str, audience: str) -> _Row | None:
    """Return an object as it was sent to one party, else as it was sent to all."""
    if not key:
        return None
    found = model._default_manager.filter(  # noqa: SLF001 - a documented name of Django
        owner=owner, object_key=key, audience__in=("", audience)
    )
    return found.defer("text").order_by("-audience").first()


def cdrs_of(sessions: Collection[Session]) -> dict[int, list[Cdr]]:
    """Return the CDRs of sessions by their keys, in one query."""
    found: dict[tuple[str, str], list[Cdr]] = {
        (session.owner, session.object_key): [] for session in sessions
    }
    owners, keys = {owner for owner, _ in found}, {key for _, key in found}
    for cdr in Cdr.objects.filter(session_key__in=keys, owner__in=owners).defer("text"):
        if (cdr.owner, cdr.session_key) in found:
            found[cdr.owner, cdr.session_key].append(cdr)
    return {session.pk: found[session.owner, session.object_key] for session in sessions}


def siblings_of(cdr: Cdr) -> list[Cdr]:
    """Return the other CDRs of a CDR's session."""
    if not cdr.session_key:
        return []
    found = Cdr.objects.filter(owner=cdr.owner, session_key=cdr.session_key).exclude(pk=cdr.pk)
    return list(found.defer("text").order_by("-seq")[:_MOST_CDRS])


def list_of(model: type[Model]) -> str:
    """Return the URL of a model's list."""
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")  # noqa: SLF001 - a documented name of Django


def page_of(row: Model) -> str:
    """Return the URL of a row's page."""
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])  # noqa: SLF001 - a documented name of Django


def link(row: Model, text: str) -> SafeString:
    """Link to a row's page."""
    shown = short(text, longest=_LONGEST_LINK)
    return format_html('<a class="hub-link" href="{}">{}</a>', page_of(row), shown)


def short(text: str, *, longest: int = _LONGEST) -> SafeString:
    """Show both ends of a long id; the whole is in the tooltip."""
    end = longest // 2
    shown = text if len(text) <= longest else f"{text[:end]}…{text[-end:]}"
    return format_html('<span class="hub-key" title="{}">{}</span>', text, shown)
