"""How stored objects are found: by whole ids, so that an index answers among millions.

Ids are compared folded, as everywhere.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from hub.models import Evse
from hub.models.stored import of_party
from hub.module_policy import ABOUT_DRIVERS
from ocpi.types import PartyRef, fold
from parties.models import Holder, Party

Rows = QuerySet[Any]
Finder = Callable[[Rows, str], Iterable[Rows]]
"""Yields rows of all that match some words: by id, by token and so on, each by an index."""

_MOST_EVSES = 20
# What no uid and no contract id is made of.
_BETWEEN = "[^[:alnum:]*_-]"


class FoundByWholeWords:
    """Adds to an admin that what may name a driver is not found by parts of words.

    Spec: none. `module_field` leads to the module of a row; the words then have to be all that
    stands in one of the columns of `whole`, or stand alone in one of those of `within`.
    """

    module_field: ClassVar[str]
    whole: ClassVar[tuple[str, ...]]
    within: ClassVar[tuple[str, ...]]

    def get_search_results(
        self, request: HttpRequest, queryset: Rows, search_term: str
    ) -> tuple[Rows, bool]:
        """Search as the admin does, but find rows about drivers by whole words alone."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        words = search_term.replace("\x00", "").strip()
        if words:
            about = Q((f"{self.module_field}__in", sorted(ABOUT_DRIVERS)))
            alone = f"(^|{_BETWEEN}){re.escape(words)}({_BETWEEN}|$)"
            conditions = [(f"{name}__iexact", words) for name in self.whole]
            conditions += [(f"{name}__iregex", alone) for name in self.within]
            whole = Q(*conditions, _connector=Q.OR)
            found = found.filter(~about | whole)
        return found, may_repeat


def search(rows: Rows, words: str, *, finder: Finder) -> Rows:
    """Keep what belongs to a party, or else all that the finder yields."""
    party = _known_party(words)
    if party:
        return of_party(rows, party)
    plain = rows.model._default_manager.order_by()  # noqa: SLF001 - a documented name of Django
    first, *more = (found.values("pk") for found in finder(plain, words))
    return rows.filter(pk__in=first.union(*more) if more else first)


def by_key(rows: Rows, *keys: str) -> Rows:
    """Find objects by their keys; the index begins with the owner, so all of them are named."""
    return rows.filter(owner__in=Holder.objects.values("name"), object_key__in=keys)


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
        location = evse.object
        at_evse = {"location_key": location.object_key, "evse_key": evse.key}
        yield rows.filter(owner=location.owner, **at_evse)


def cdrs(rows: Rows, words: str) -> Iterable[Rows]:
    """Find CDRs as Sessions are found, and by the id of their session."""
    yield from charged(rows, words)
    yield rows.filter(session_key=fold(words))


def _known_party(words: str) -> PartyRef | None:
    """Return the party that is meant, if any: an id may look like one."""
    try:
        ref = PartyRef.parse(words)
    except ValueError:
        return None
    return ref if Party.objects.filter(key=str(ref)).exists() else None
