"""What the hub keeps: written in one statement with its feed entry, read as text.

`apply` accepts a PUT, PATCH or DELETE addressed to the hub, `page` and `get` serve it again.
Architecture chapters 3 to 5.
"""

from hub.store.incoming import Incoming
from hub.store.reading import Page, Viewer, get, page
from hub.store.writing import Applied, apply

__all__ = ["Applied", "Incoming", "Page", "Viewer", "apply", "get", "page"]
