"""The endpoints of functional modules: the fixed part of their URLs, one form for all of them.

Spec: 2.2.1 transport and format. Client info has the same form, but is a Configuration Module.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

CLIENT_INFO_LIST = r"^(?P<version>[0-9][0-9.]*)/sender/hubclientinfo/?$"
CLIENT_INFO = (
    r"^(?P<version>[0-9][0-9.]*)/receiver/hubclientinfo"
    r"/(?P<country_code>[^/]{2})/(?P<party_id>[^/]{3})/?$"
)
_CLIENT_INFO = re.compile(f"{CLIENT_INFO_LIST}|{re.sub('[?]P<version>', '', CLIENT_INFO)}")
_FUNCTIONAL = re.compile(r"^([0-9][0-9.]*)/(sender|receiver)/([A-Za-z]+)(?:/|$)")
_OCPI = "/ocpi/"


class EndpointURL(NamedTuple):
    """The fixed part of a URL, whether or not the hub serves anything there."""

    version: str
    side: str
    module: str


def endpoint_of(raw_path: str) -> EndpointURL | None:
    """Return the endpoint that a path of the hub leads to; None when Django serves the path."""
    path = unquote(raw_path) if "%" in raw_path else raw_path
    if not path.startswith(_OCPI):
        return None
    below = path.removeprefix(_OCPI)
    found = _FUNCTIONAL.match(below)
    if found is None or _CLIENT_INFO.match(below):
        return None
    return EndpointURL(*found.groups())
