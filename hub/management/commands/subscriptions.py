"""`manage.py subscriptions`: how far behind each receiver is; `--deliver` wakes delivery."""

import time
from argparse import Namespace
from dataclasses import asdict
from typing import Any

import redis
from django.core.management.base import CommandParser
from kombu.exceptions import OperationalError

from hub.delivery import backlog, left_out
from hub.delivery.snapshots import progress
from hub.management.progress import Bar
from hub.management.selection import add_narrowing_arguments
from hub.models import Subscription
from hub.tasks import delivery as delivery_tasks
from ocpi.types import ModuleID, PartyRef, format_datetime
from parties.management.command import OperatorCommand

_EVERY_SECONDS = 0.5


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Shows what the console's list of subscriptions shows, and does what its action does."""

    help = "How far behind each receiver is, like: subscriptions --party DE-MSA --module locations."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what narrows the list."""
        add_narrowing_arguments(parser, whose="the receiver, like DE-MSA")
        parser.add_argument(
            "--deliver", action="store_true", help="deliver to them now, also during a back-off"
        )
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS", help="until snapshots are over"
        )

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Read them; start a task for each if that is asked for."""
        found = Subscription.objects.select_related("receiver__platform")
        if options.party:
            found = found.filter(receiver__key=str(PartyRef.parse(options.party)))
        if options.module:
            found = found.filter(module=options.module)
        chosen = list(found.order_by("receiver__key", "module"))
        if options.deliver:
            _deliver(chosen)
        self._watch([row.pk for row in chosen], time.monotonic() + options.wait)
        return _rows(chosen)

    def _watch(self, chosen: list[int], end: float) -> None:
        """Show how far their snapshots are, as long as there are any and it is worth waiting."""
        bar = Bar(self.stderr)
        while time.monotonic() < end and (running := progress(chosen).values()):
            sent, total = sum(each.sent for each in running), sum(each.total for each in running)
            bar.show(sent / total if total else 0.0, f"objects: {sent:,} of {total:,}")
            time.sleep(_EVERY_SECONDS)
        bar.end()

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print a line for each."""
        for each in result:
            self.stdout.write(_line(each))
        if not result:
            self.stdout.write("No such subscriptions.")


def _deliver(chosen: list[Subscription]) -> None:
    try:
        delivery_tasks.deliver_now([row.pk for row in chosen])
    except (redis.RedisError, OperationalError) as error:
        message = f"the broker does not answer; delivery goes on by itself once it does: {error}"
        raise ValueError(message) from error


def _rows(chosen: list[Subscription]) -> list[dict[str, Any]]:
    ids = [row.pk for row in chosen]
    behind = {
        pk: lag
        for name in {row.module for row in chosen}
        for pk, lag in backlog.lag(ModuleID(name), ids).items()
    }
    snapshots = {pk: asdict(found) for pk, found in progress(ids).items()}
    return [
        _row(row, *behind.get(row.pk, (0, 0.0))) | {"snapshot": snapshots.get(row.pk)}
        for row in chosen
    ]


def _row(row: Subscription, changes: int, seconds: float) -> dict[str, Any]:
    delivered = row.last_delivered_at
    return {
        "receiver": row.receiver.key,
        "platform": row.receiver.platform.name,
        "module": row.module,
        "behind": changes,
        "oldest_seconds": round(seconds, 1),
        "delivered": row.delivered,
        "last_delivered_at": format_datetime(delivered) if delivered else None,
        "failures": row.failures,
        "last_error": row.last_error,
        "left_out": left_out.number(row),
    }


def _line(each: dict[str, Any]) -> str:
    most = backlog.COUNTED_UP_TO
    number = f"{most:,}+" if each["behind"] > most else f"{each['behind']:,}"
    lag = (
        f"{number} behind, oldest {each['oldest_seconds']:.0f} s"
        if each["behind"]
        else "up to date"
    )
    snapshot = each["snapshot"]
    sent = f", snapshot {snapshot['sent']:,} of {snapshot['total']:,}" if snapshot else ""
    spared = f", {each['left_out']:,} left out: it is strict" if each["left_out"] else ""
    error = f" - {each['failures']} failures: {each['last_error']}" if each["failures"] else ""
    return (
        f"{each['receiver']} {each['module']}: {lag}, {each['delivered']:,} delivered"
        f"{spared}{sent}{error}"
    )
