"""The search for rows: of stored objects by ids, so that an index finds them among millions.

Mostly the words are a whole id in any case; pages may bring finders of their own. An EVSE id is
found as it was sent, or in upper case.
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
"""Yields one query for each way to find words, by id, by token and so on; each uses an index."""

_MOST_EVSES = 20
"""EVSEs with one EVSE id: mostly one, more if locations moved."""
_IN_PATH = r"(^|/){}(/|\?|$)"
"""PostgreSQL's pattern of whole steps: an id may have all other characters; its `/` is quoted."""
_IN_TEXT = r"""(^|[\s"'(,;]){}($|[\s"'),;]|[.:](\s|$))"""
"""That of whole words of a sentence: ids with one of these characters are rare."""


class FoundByWholeWords:
    """Makes an admin find rows about drivers by whole words alone: parts would let ids be guessed.

    `module_field` is the module of a row. If that is about drivers, the words must be all of a
    column of `whole`, whole steps in a path of `paths`, or whole words in a column of `texts`.
    """

    module_field: ClassVar[str]
    whole: ClassVar[tuple[str, ...]]
    paths: ClassVar[tuple[str, ...]] = ()
    texts: ClassVar[tuple[str, ...]] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: Rows, search_term: str
    ) -> tuple[Rows, bool]:
        """Search as Django does, but leave out rows about drivers found by a part of a word."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        words = search_term.replace("\x00", "").strip()
        if words:
            about_drivers = Q((f"{self.module_field}__in", sorted(ABOUT_DRIVERS)))
            conditions = [(f"{name}__iexact", words) for name in self.whole]
            for names, pattern in ((self.paths, _IN_PATH), (self.texts, _IN_TEXT)):
                alone = pattern.format(re.escape(words))
                conditions += [(f"{name}__iregex", alone) for name in names]
            whole = Q(*conditions, _connector=Q.OR)
            found = found.filter(~about_drivers | whole)
        return found, may_repeat


def search(rows: Rows, words: str, *, finder: Finder) -> Rows:
    """Keep the objects of a party if the words name one, else what the finder yields."""
    party = _known_party(words)
    if party:
        return of_party(rows, party)
    plain = rows.model._default_manager.order_by()  # noqa: SLF001 - a documented name of Django
    first, *more = (found.values("pk") for found in finder(plain, words))
    return rows.filter(pk__in=first.union(*more) if more else first)


def by_key(rows: Rows, *keys: str) -> Rows:
    """Find objects by their keys; the index begins with the owner, so all owners are named."""
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
    """Return the party that the words name; an id may only look like one."""
    try:
        ref = PartyRef.parse(words)
    except ValueError:
        return None
    return ref if Party.objects.filter(key=str(ref)).exists() else None
