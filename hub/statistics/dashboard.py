"""Figures of the dashboard: one query for each, however many messages and objects there are."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, F, Sum
from django.utils import timezone

from database import sql
from hub.delivery import backlog
from hub.models import Billed, Failure, Spot, Subscription, Throttled
from hub.module_policy import POLICIES
from hub.statistics import sql as statements
from ocpi.types import ModuleID
from ocpi.versions import values_of
from parties.connection_status import ConnectionStatus
from parties.models import AllowedParty, Party

HOURS = 24
BUCKET_MINUTES = 10
BUCKETS = HOURS * 60 // BUCKET_MINUTES
COUNTED_DEAD_LETTERS = 10_000
"""Dead letters that are counted; of more, the page only says that there are more."""
_MOST_CHANGES = 100
"""Undelivered changes of one receiver and module that are counted."""

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages per minute by module: for each ten minutes since `begin` their average."""

    begin: datetime
    by_module: Mapping[str, Sequence[float]] = field(default_factory=dict)
    totals: Counts = field(default_factory=dict)
    failed: int = 0


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How often messages of a party, or to it, failed with one code.

    `code` is the OCPI status code, without one the HTTP status, else 0 for no answer.
    """

    party: str
    code: int
    number: int


@dataclass(frozen=True, slots=True)
class ThrottledCount:
    """How many requests were refused with 429: of a platform, or of strangers if it is empty."""

    platform: str
    number: int


@dataclass(frozen=True, slots=True)
class ReceiverLag:
    """A holder that is behind: how old its oldest undelivered change is, and how many there are."""

    receiver: str
    module: str
    seconds: float
    changes: int


@dataclass(frozen=True, slots=True)
class ReceiverDeadLetters:
    """How many dead letters one receiver has."""

    receiver: str
    number: int


@dataclass(frozen=True, slots=True)
class DeadLetterCounts:
    """How many dead letters there are, up to `COUNTED_DEAD_LETTERS` + 1, and since when."""

    number: int
    oldest: datetime | None
    by_receiver: Sequence[ReceiverDeadLetters] = ()


@dataclass(frozen=True, slots=True)
class Cdrs:
    """The CDRs posted since midnight UTC, by the hour."""

    begin: datetime
    by_hour: Sequence[int]
    kwh: float


def parties() -> Counts:
    """Count parties by connection status.

    PLANNED are those that an operator has listed for a platform that is not registered yet.
    """
    registered = Party.objects.filter(is_active=True).values_list("platform__status")
    found = Counter(dict(registered.annotate(number=Count("*"))))
    expected = AllowedParty.objects.filter(platform__status=ConnectionStatus.PLANNED).count()
    found[ConnectionStatus.PLANNED] = expected
    return {status.value: found[status] for status in ConnectionStatus}


def messages() -> Messages:
    """Read the figures of the last 24 hours, in the order of the modules' names."""
    now = timezone.now().replace(second=0, microsecond=0)
    end = now - timedelta(minutes=now.minute % BUCKET_MINUTES - BUCKET_MINUTES)  # of this bucket
    begin = end - timedelta(hours=HOURS)
    numbers: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * BUCKETS)
    totals: Counter[str] = Counter()
    failed = 0
    minutes_of_last = now.minute % BUCKET_MINUTES + 1  # the last bucket is not over yet
    given = {"begin": begin, "end": end, "minutes": BUCKET_MINUTES}
    for row in sql.rows(statements.TRAFFIC_BY_BUCKET, given):
        minutes = minutes_of_last if row.bucket == BUCKETS - 1 else BUCKET_MINUTES
        numbers[row.module][row.bucket] = row.number / minutes
        totals[row.module] += row.number
        failed += row.failed
    return Messages(begin, dict(numbers), dict(totals), failed)


def failures() -> list[FailureCount]:
    """Return the failures of the last 24 hours by party and code, the most frequent first."""
    since = timezone.now() - timedelta(hours=HOURS)
    rows = Failure.objects.filter(hour__gt=since).values_list("party", "code")
    return [
        FailureCount(*row) for row in rows.annotate(times=Sum("number")).order_by("-times", "party")
    ]


def throttled() -> list[ThrottledCount]:
    """Return the platforms over their rate in the last 24 hours, the most often refused first."""
    since = timezone.now() - timedelta(hours=HOURS)
    rows = Throttled.objects.filter(hour__gt=since).values_list("platform")
    counted = rows.annotate(times=Sum("number")).order_by("-times", "platform")
    return [ThrottledCount(*row) for row in counted]


def throttled_of(platform: str) -> int:
    """Return how many requests of a platform were refused for their rate in the last 24 hours."""
    since = timezone.now() - timedelta(hours=HOURS)
    found = Throttled.objects.filter(platform=platform, hour__gt=since)
    return int(found.aggregate(times=Sum("number"))["times"] or 0)


def receivers_behind() -> list[ReceiverLag]:
    """Return the receivers that are behind, the one with the oldest change first.

    Each is there once, with the module in which it is behind most.
    """
    names = dict(Subscription.objects.values_list("pk", "receiver__holder"))
    found: dict[str, ReceiverLag] = {}
    for module in POLICIES:
        behind = backlog.lag(module, names, most=_MOST_CHANGES)
        for pk, (changes, seconds) in behind.items():
            lag = ReceiverLag(names[pk], module, seconds, changes)
            known = found.setdefault(lag.receiver, lag)
            found[lag.receiver] = max(lag, known, key=lambda each: each.seconds)
    return sorted(found.values(), key=lambda each: -each.seconds)


def dead_letters() -> DeadLetterCounts:
    """Count the oldest `COUNTED_DEAD_LETTERS` + 1 dead letters by receiver."""
    found = sql.rows(statements.DEAD_LETTERS_BY_SUBSCRIPTION, {"most": COUNTED_DEAD_LETTERS + 1})
    numbers: Counter[str] = Counter()
    for row in found:
        numbers[row.receiver] += row.number
    return DeadLetterCounts(
        numbers.total(),
        min((row.oldest for row in found), default=None),
        [ReceiverDeadLetters(*each) for each in numbers.most_common()],
    )


def cdrs() -> Cdrs:
    """Sum up today's CDRs."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    by_hour, kwh = [0] * HOURS, 0.0
    for billed in Billed.objects.filter(hour__gte=midnight):
        by_hour[billed.hour.hour] += billed.number
        kwh += billed.kwh
    return Cdrs(midnight, by_hour, kwh)


def evses() -> Counts:
    """Return how many EVSEs have which status; `Spot` has a column for each, by its name."""
    names = {word: word.lower() for word in values_of(ModuleID.LOCATIONS, "status", of_part=True)}
    sums = Spot.objects.aggregate(**{name: Sum(F(column)) for name, column in names.items()})
    return {name: int(sums[name] or 0) for name in names}
