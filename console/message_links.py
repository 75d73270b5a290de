"""Links from an object to the messages about it, and back.

URLs have only the end of a token's uid, as the log.
"""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from console.object_links import link
from hub.masking.personal import mask_value
from hub.models import Exchange, Location, StoredObject, Token
from hub.module_policy import POLICIES
from ocpi.types import ModuleID
from parties.holders import ref_of
from parties.models import Holder

LIST = "admin:hub_exchange_changelist"
TIMELINE = "admin:hub_exchange_timeline"


def messages_of(row: StoredObject) -> SafeString:
    """Link to the messages about a stored object, from its owner or to it."""
    name = row.object_id
    if isinstance(row, Token) and not name.startswith("\N{HORIZONTAL ELLIPSIS}"):
        name = mask_value(name)
    query = {"object": name, "party": str(ref_of(row.owner))}
    if isinstance(row, Token):
        query["module"] = ModuleID.TOKENS
    url = f"{reverse(LIST)}?{urlencode(query)}"
    return format_html('<a class="hub-link" href="{}">Messages about it</a>', url)


def timeline_of(correlation_id: str) -> str:
    """Return the URL of a journey's timeline."""
    return f"{reverse(TIMELINE)}?{urlencode({'correlation_id': correlation_id})}"


def object_of(row: Exchange) -> SafeString | str:
    """Link to the object that a message is about, if the hub keeps it and may show it."""
    kind = next((p.model for name, p in POLICIES.items() if name == row.module), None)
    if kind is None or not row.object_key:
        return row.object_key or "-"
    if kind is Token:
        return _tokens_of(row)
    found: Any = kind._default_manager.filter(  # noqa: SLF001 - a documented name of Django
        owner__in=_owners(row), object_key=row.object_key
    )
    if kind is Location:
        found = found.filter(publish=True)
    stored = found.defer("text").order_by("audience", "seq").first()
    return link(stored, stored.object_id) if stored else f"{row.object_key}, unknown to the hub"


def _tokens_of(row: Exchange) -> SafeString:
    """Link to all tokens that end alike: the log does not know which of them it is."""
    url = f"{reverse('admin:hub_token_changelist')}?{urlencode({'q': row.object_key})}"
    return format_html(
        '<a class="hub-link" href="{}">tokens that end in {}</a>', url, row.object_key
    )


def _owners(row: Exchange) -> set[str]:
    """Return the possible owners: the sender, the receiver, or the party in the path."""
    country, _, rest = row.path.partition("/")
    named = f"{country}-{rest.partition('/')[0]}".upper()
    keys = {row.sender, row.receiver, named} - {""}
    return {*keys, *Holder.objects.filter(key__in=keys).values_list("name", flat=True)}
