"""A platform as the hub knows it, and time that passes while nothing is heard of it."""

from datetime import timedelta

from django.utils import timezone

from parties.models import Platform


def row(name: str = "P1") -> Platform:
    """Return a platform as the hub knows it now."""
    return Platform.objects.get(name=name)


def be_silent(seconds: float = 301) -> None:
    """Let all platforms have been seen longer ago."""
    moment = timezone.now() - timedelta(seconds=seconds)
    Platform.objects.update(
        last_seen_at=moment, last_ping_at=None, status_changed_at=moment, next_attempt_at=None
    )


def retry_now() -> None:
    """Let every back-off be over for a minute, and every ping be answered or given up."""
    Platform.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=1))
    forget_pings()


def forget_pings(seconds: float = 60) -> None:
    """Let the last ping be that long ago."""
    Platform.objects.update(last_ping_at=timezone.now() - timedelta(seconds=seconds))
