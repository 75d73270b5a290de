"""`manage.py status`: the figures of the console's dashboard."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hub.statistics import dashboard
from ocpi.types import format_datetime
from parties.management.command import OperatorCommand

_SHOWN = 8


class Command(OperatorCommand[dict[str, Any]]):
    """Reads figures that are kept; it costs the same however much is in the log."""

    help = "How the hub stands: parties, traffic, errors, who is behind, dead letters, CDRs, EVSEs."

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Read them all."""
        messages, letters = dashboard.messages(), dashboard.dead_letters()
        cdrs = dashboard.cdrs()
        return {
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
            "waiting": [asdict(each) for each in dashboard.waiting()],
            "dead_letters": {
                "number": letters.number,
                "oldest": format_datetime(letters.oldest) if letters.oldest else None,
                "by_receiver": {each.receiver: each.number for each in letters.by_receiver},
            },
            "cdrs": {"today": sum(cdrs.by_hour), "by_hour": cdrs.by_hour, "kwh": cdrs.kwh},
            "evses": dashboard.evses(),
        }

    def tell(self, result: dict[str, Any]) -> None:
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
        cdrs, letters = result["cdrs"], result["dead_letters"]
        lines = {
            "Parties": _told(result["parties"]),
            "Messages in 24 h": _told(result["messages"]["total"]),
            "Errors in 24 h": _told(errors),
            "Over their rate": _told(throttled),
            "Oldest undelivered": _told(behind) if behind else "nobody is behind",
            "Dead letters": _told(letters["by_receiver"]),
            "CDRs today": f"{cdrs['today']:,}, {cdrs['kwh']:,.1f} kWh",
            "EVSEs": _told(result["evses"]),
        }
        for name, words in lines.items():
            self.stdout.write(f"{name + ':':<20} {words}")


def _told(figures: Mapping[str, int | str]) -> str:
    """Write what is not nothing, the first few of it."""
    shown = [f"{name or 'other'} {number}" for name, number in figures.items() if number]
    more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more or "none"
