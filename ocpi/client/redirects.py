"""Where a redirecting peer may lead the hub: along a 307 or 308 on the same host, nowhere else.

The Authorization header must never reach another host, and a PUT must not become a GET.
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
        onward = _host(_resolved(called, location)) if location else "nowhere"
        raise RedirectRefused(f"HTTP {reply.http_status} from {_host(called)} to {onward}")
    target = _resolved(called, location)
    if _origin(target) != _origin(called):
        raise RedirectRefused(f"{_host(called)} redirects to another host, {_host(target)}")
    return target


def _resolved(called: URL, location: str) -> URL:
    """Resolve a relative Location against the URL that was called."""
    try:
        return called.join(URL(location, encoded=True))
    except ValueError as error:
        text = f"{_host(called)} redirects to something that is not a URL"
        raise RedirectRefused(text) from error


def _host(url: URL) -> str:
    """Name the host alone: paths have ids that belong in no log."""
    return url.raw_authority or "nowhere"


def _origin(url: URL) -> tuple[str, str, int | None]:
    """Return what must not change: scheme, host and port."""
    return url.scheme, (url.raw_host or "").lower(), url.port
