"""As of when figures are that follow the feed: in words, beside each of them."""

from django.utils import timezone

from console.base import span
from hub.statistics import follower


def as_of() -> str:
    """Say how old figures of Locations are: "as of 2 s ago"."""
    found = follower.state()
    if found is None:
        return "not counted yet"
    age = span(max(0.0, (timezone.now() - found.as_of).total_seconds()))
    return f"as of {age} ago{', being counted anew' if found.recounted_to is not None else ''}"
