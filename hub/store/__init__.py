"""What the hub keeps: written in one statement with its feed entry, read as text.

`apply` accepts a write, `page` and `get` serve it again, `is_repeated_post` knows a POST that was
stored before. docs/architecture.md#what-is-kept.
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
