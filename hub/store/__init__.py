"""What the hub keeps: written in one statement with its feed entry, read as text.

`apply` accepts a write, `page` and `get` serve it again, `posted` knows what was created by POST.
docs/architecture.md#what-is-kept.
"""

from hub.store.reads import ObjectPage, ObjectQuery, Viewer, get, page
from hub.store.write_request import WriteRequest
from hub.store.writes import Applied, apply, check_same, forget_if_older, fork, repeat

__all__ = [
    "Applied",
    "ObjectPage",
    "ObjectQuery",
    "Viewer",
    "WriteRequest",
    "apply",
    "check_same",
    "forget_if_older",
    "fork",
    "get",
    "page",
    "repeat",
]
