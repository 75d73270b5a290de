"""Where a redirecting peer may lead the hub: along a 307 or 308 on the same host, nowhere else.

Specification: none; the Authorization header must never reach another host, and a PUT must not
become a GET.
"""

from typing import Final

from yarl import URL

from ocpi.client.failures import RedirectRefused
from ocpi.client.reply import Reply

_FOLLOWED: Final = frozenset({307, 308})
_REDIRECTS: Final = _FOLLOWED | {301, 302, 303}


def redirect_target(called: URL, reply: Reply) -> URL | None:
    """Return the URL to call instead, None if the reply is an answer; RedirectRefused otherwise."""
    if reply.http_status not in _REDIRECTS:
        return None
    location = reply.headers.get("Location", "")
    if reply.http_status not in _FOLLOWED or not location:
        raise RedirectRefused(f"HTTP {reply.http_status} from {called} to {location or 'nowhere'}")
    target = _resolved(called, location)
    if _origin(target) != _origin(called):
        raise RedirectRefused(f"{called} redirects to another host: {location}")
    return target


def _resolved(called: URL, location: str) -> URL:
    """Resolve a relative Location against the URL that was called."""
    try:
        return called.join(URL(location, encoded=True))
    except ValueError as error:
        raise RedirectRefused(
            f"{called} redirects to something that is not a URL: {error}"
        ) from error


def _origin(url: URL) -> tuple[str, str, int | None]:
    """Return what has to stay the same: scheme, host and port."""
    return url.scheme, (url.raw_host or "").lower(), url.port
