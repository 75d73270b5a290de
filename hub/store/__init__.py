"""The store: objects written in one statement with their feed entry, and read as text.

docs/architecture.md#what-is-kept. `apply` stores a write, `page` and `get` read; `fork` and
`forget_if_older` are about own copies of single parties; `is_repeated_post` recognises a POST that
was stored before, and `repeat` counts it.
"""

from hub.store.reads import ObjectPage, ObjectQuery, Viewer, get, page
from hub.store.write_request import WriteRequest
from hub.store.writes import Applied, apply, forget_if_older, fork, is_repeated_post, repeat

__all__ = [
    "Applied",
    "ObjectPage",
    "ObjectQuery",
    "Viewer",
    "WriteRequest",
    "apply",
    "forget_if_older",
    "fork",
    "get",
    "is_repeated_post",
    "page",
    "repeat",
]
