"""How stored objects are found: by whole ids, so that an index answers among millions.

Spec: none; architecture chapter 10. Ids are compared folded, as everywhere.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q, QuerySet

from hub.models import Evse, StoredObject
from hub.models.charging import Charged
from ocpi.types import PartyRef, fold
from parties.models import Party

Rows = QuerySet[Any]
Way = Callable[[Rows, str], Iterable[Rows]]
"""From all rows and the words sought to the rows found in some ways."""

_MOST_EVSES = 20


def search(rows: Rows, words: str, *, way: Way) -> Rows:
    """Keep what belongs to a party, or else what one of the ways finds."""
    party = _known_party(words)
    if party:
        sides = ("owner", "audience", "recipient") if _is_charged(rows) else ("owner", "audience")
        return rows.filter(Q(*((side, party) for side in sides), _connector=Q.OR))
    plain = rows.model._default_manager.order_by()  # noqa: SLF001 - a documented name of Django
    first, *more = (found.values("pk") for found in way(plain, words))
    return rows.filter(pk__in=first.union(*more) if more else first)


def by_key(rows: Rows, *keys: str) -> Rows:
    """Find objects by their keys; the index wants to know all owners there can be."""
    return rows.filter(owner__in=Party.objects.values("key"), object_key__in=keys)


def by_id(rows: Rows, words: str) -> Iterable[Rows]:
    """Find objects by their id."""
    yield by_key(rows, fold(words))


def charged(rows: Rows, words: str) -> Iterable[Rows]:
    """Find Sessions or CDRs by their id, token, location or EVSE."""
    key = fold(words)
    yield by_key(rows, key)
    yield rows.filter(token_key=key)
    yield rows.filter(location_key=key)
    evses = Evse.objects.filter(evse_id__in={words, key}).select_related("object")
    for evse in evses.defer("text", "object__text")[:_MOST_EVSES]:
        place = evse.object
        yield rows.filter(owner=place.owner, location_key=place.object_key, evse_key=evse.key)


def cdrs(rows: Rows, words: str) -> Iterable[Rows]:
    """Find CDRs as Sessions are found, and by the id of their session."""
    yield from charged(rows, words)
    yield rows.filter(session_key=fold(words))


def _known_party(words: str) -> str:
    """Return the key of a party that is meant, or nothing: an id may look like one."""
    try:
        key = str(PartyRef.parse(words))
    except ValueError:
        return ""
    return key if Party.objects.filter(key=key).exists() else ""


def _is_charged(rows: QuerySet[StoredObject]) -> bool:
    return issubclass(rows.model, Charged)
