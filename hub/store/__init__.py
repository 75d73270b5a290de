"""The store: objects written in one statement with their feed entry, and read as text.

docs/architecture.md#what-is-kept. `apply` stores a write, `submit` does so without waiting for it;
`page` and `get` read; `repeat_post` recognises and counts a POST that was stored before.
"""

from hub.store.batch import Applied, EpochPassed, PostUnderWay
from hub.store.reads import ObjectPage, ObjectQuery, Viewer, get, page
from hub.store.write_request import WriteRequest
from hub.store.writer import apply, repeat_post, submit

__all__ = [
    "Applied",
    "EpochPassed",
    "ObjectPage",
    "ObjectQuery",
    "PostUnderWay",
    "Viewer",
    "WriteRequest",
    "apply",
    "get",
    "page",
    "repeat_post",
    "submit",
]
