"""`manage.py status`: the figures of the console's dashboard; `--alarm` says which are too high."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from hub.statistics import dashboard, follower
from ocpi.types import format_datetime
from operators import login_events
from parties.management.command import OperatorCommand

_SHOWN = 8
"""Entries of a line, such as receivers with dead letters; of the rest it says how many."""
Figures = Mapping[str, Any]
ALARMS: Mapping[str, Callable[[Figures], float]] = {
    "offline": lambda found: found["parties"]["OFFLINE"],
    "failed": lambda found: found["messages"]["failed"],
    "throttled": lambda found: sum(each["number"] for each in found["throttled"]),
    "waiting_seconds": lambda found: max((each["seconds"] for each in found["waiting"]), default=0),
    "dead_letters": lambda found: found["dead_letters"]["number"],
    "failed_log_ins": lambda found: found["failed_log_ins"],
}
"""The figures that may be too high, those of 24 hours where something is counted (ASVS 11.1.8)."""


class Command(OperatorCommand[dict[str, Any]]):
    """Reads figures that are kept; it costs the same however much is in the log."""

    help = "How the hub stands: parties, traffic, errors, who is behind, dead letters, CDRs, EVSEs."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add from which figures on somebody has to look."""
        parser.add_argument(
            "--alarm",
            action="append",
            default=[],
            metavar="FIGURE=MOST",
            help=f"exit with 1 above it, for what watches the hub: {', '.join(ALARMS)}",
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Read them all, and judge those that are watched."""
        watched = dict(map(_watched, options.alarm))
        found = self._figures()
        high = {name: ALARMS[name](found) for name, most in watched.items()}
        alarms = [
            {"figure": name, "is": number, "most": watched[name]}
            for name, number in high.items()
            if number > watched[name]
        ]
        return {**found, "alarms": alarms}

    def exit_code(self, result: dict[str, Any]) -> int:
        """Return 1 when something is too high."""
        return int(bool(result["alarms"]))

    def _figures(self) -> dict[str, Any]:
        messages, dead_letters = dashboard.messages(), dashboard.dead_letters()
        cdrs = dashboard.cdrs()
        return {
            "version": settings.HUB_VERSION,
            "parties": dashboard.parties(),
            "messages": {
                "since": format_datetime(messages.begin),
                "minutes": dashboard.BUCKET_MINUTES,
                "total": messages.totals,
                "failed": messages.failed,
                "per_minute": messages.by_module,
            },
            "errors": [asdict(each) for each in dashboard.failures()],
            "throttled": [asdict(each) for each in dashboard.throttled()],
            "waiting": [asdict(each) for each in dashboard.receivers_behind()],
            "dead_letters": {
                "number": dead_letters.number,
                "oldest": format_datetime(dead_letters.oldest) if dead_letters.oldest else None,
                "by_receiver": {each.receiver: each.number for each in dead_letters.by_receiver},
            },
            "cdrs": {"today": sum(cdrs.by_hour), "by_hour": cdrs.by_hour, "kwh": cdrs.kwh},
            "evses": dashboard.evses(),
            "evses_as_of": follower.as_of(),
            "failed_log_ins": login_events.failures_of_last_day(),
        }

    def show(self, result: dict[str, Any]) -> None:
        """Print a line for each figure."""
        waiting = {f"{each['receiver']} {each['module']}": each for each in result["waiting"]}
        behind = {name: f"{each['seconds']:.0f} s" for name, each in waiting.items()}
        errors = {
            f"{each['party'] or 'nobody known'} {each['code'] or 'no answer'}": each["number"]
            for each in result["errors"]
        }
        throttled = {
            each["platform"] or "strangers": each["number"] for each in result["throttled"]
        }
        cdrs, dead_letters = result["cdrs"], result["dead_letters"]
        lines = {
            "Version": result["version"],
            "Parties": _in_words(result["parties"]),
            "Messages in 24 h": _in_words(result["messages"]["total"]),
            "Errors in 24 h": _in_words(errors),
            "Over their rate": _in_words(throttled),
            "Oldest undelivered": _in_words(behind) if behind else "nobody is behind",
            "Dead letters": _in_words(dead_letters["by_receiver"]),
            "CDRs today": f"{cdrs['today']:,}, {cdrs['kwh']:,.1f} kWh",
            "EVSEs": f"{_in_words(result['evses'])} (as of {result['evses_as_of'] or 'never'})",
            "Failed log-ins": f"{result['failed_log_ins']:,}",
        }
        for name, words in lines.items():
            self.stdout.write(f"{name + ':':<20} {words}")
        for each in result["alarms"]:
            sentence = f"{each['figure']} is {each['is']:,.0f}, more than {each['most']:,.0f}"
            self.stdout.write(f"{'ALARM:':<20} {sentence}")


def _watched(text: str) -> tuple[str, float]:
    """Read a figure and its bound."""
    name, _, most = text.partition("=")
    if name not in ALARMS or not most.isdecimal():
        raise ValueError(f"{text!r} is no alarm: write one like throttled=1000, of {list(ALARMS)}")
    return name, float(most)


def _in_words(figures: Mapping[str, int | str]) -> str:
    """Write the first few figures that are not zero."""
    shown = [f"{name or 'other'} {number}" for name, number in figures.items() if number]
    more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more or "none"
