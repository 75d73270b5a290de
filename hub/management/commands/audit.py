"""`manage.py audit`: what operators and commands did, when, before and after.

Failed log-ins are those of `stranger`; the account that was tried is what they are `--of`. Repeated
ones are one entry for up to an hour, with the time of the first.
"""

from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from hub.message_log import typed_times
from operators.login_events import Event
from operators.models import Change
from parties.management.command import OperatorCommand

MOST_ROWS = 10_000


class Command(OperatorCommand[list[dict[str, Any]]]):
    """Lists entries of the audit, newest first."""

    help = "What operators and commands did, newest first: when, what, before and after."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what chooses among them."""
        parser.add_argument("--who", default="", help="a user, or hub, or stranger")
        parser.add_argument("--of", default="", metavar="WORDS", help="part of what it was done to")
        parser.add_argument("--log-ins", action="store_true", help="nothing but log-ins")
        parser.add_argument("--since", default="", metavar="TIME", help="like 10m, 2h, 7d")
        parser.add_argument("--limit", type=int, default=50, help="how many at most (50)")

    def perform(self, options: Namespace) -> list[dict[str, Any]]:
        """Look them up."""
        if not 0 < options.limit <= MOST_ROWS:
            raise ValueError(f"--limit is a number from 1 to {MOST_ROWS}")
        found = list(_chosen(options)[: options.limit + 1])
        if len(found) > options.limit:
            self.leave_out(f"There are older ones than these {options.limit:,}: see --limit")
        return [_entry(change) for change in found[: options.limit]]

    def show(self, result: list[dict[str, Any]]) -> None:
        """Print one line for each."""
        for each in result:
            source = ", ".join(filter(None, (each["channel"], each["address"])))
            self.stdout.write(
                f"{each['at']}  {each['who']} ({source})  {_action(each)}  "
                f"{each['kind']} {each['subject']}  {_difference(each['before'], each['after'])}"
            )
        if not result:
            self.stdout.write("No such changes.")


def _chosen(options: Namespace) -> QuerySet[Change]:
    chosen = Change.objects.order_by("-id")
    if options.who:
        chosen = chosen.filter(who=options.who)
    if options.of:
        chosen = chosen.filter(subject__icontains=options.of)
    if options.log_ins:
        chosen = chosen.filter(action__in=list(Event))
    if options.since:
        chosen = chosen.filter(at__gte=timezone.now() - typed_times.span(options.since))
    return chosen


def _entry(change: Change) -> dict[str, Any]:
    return {
        "at": change.at.isoformat(timespec="seconds"),
        "who": change.who,
        "channel": change.channel,
        "address": change.address,
        "doing": change.doing,
        "deed": change.action,
        "times": change.times,
        "kind": change.kind,
        "object_id": change.object_id,
        "subject": change.subject,
        "before": change.before,
        "after": change.after,
    }


def _action(each: dict[str, Any]) -> str:
    return str(each["deed"]) if each["times"] == 1 else f"{each['deed']} ({each['times']} times)"


def _difference(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    names = {**(before or {}), **(after or {})}
    return "; ".join(f"{name}: {_of(before, name)} -> {_of(after, name)}" for name in names)


def _of(facts: dict[str, Any] | None, name: str) -> Any:  # noqa: ANN401 - of any column
    return (facts or {}).get(name, "-")
