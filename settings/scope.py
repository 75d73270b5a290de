"""What an ASGI server says of a request: headers by their names, and where it comes from."""

from collections.abc import Mapping
from typing import Any

Scope = dict[str, Any]


def headers_of(scope: Scope) -> Mapping[str, str]:
    """Return the headers by names in lower case; those that stand several times are joined.

    One spelled with `_` could pass for another where programs name headers as CGI does: dropped.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def address_of(scope: Scope) -> str:
    """Return the address of the other end; empty behind a unix socket."""
    address: str = (scope.get("client") or ("",))[0]
    return address
