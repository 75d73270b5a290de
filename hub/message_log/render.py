"""Exchanges as JSON for scripts, and as a table for people at a terminal."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from hub.message_log.curl import as_curl
from hub.message_log.sql import BODIES, COLUMNS
from hub.models import Exchange
from ocpi.printable import escaped
from ocpi.status_codes import StatusCode
from parties.hub_identity import hub_party

_SHOWN = tuple(name for name in COLUMNS if name not in BODIES)
_HEADERS = ("time (UTC)", "", "platform", "parties", "message", "route", "HTTP", "OCPI", "ms", "")
_RIGHT_ALIGNED = {"HTTP", "OCPI", "ms"}
_LONGEST_MESSAGE = 60


def as_json(exchange: Exchange, *, whole: bool = False) -> dict[str, Any]:
    """Return an exchange without its bodies; if `whole`, with them and as a curl command."""
    names = (*_SHOWN, *BODIES) if whole else _SHOWN
    shown = {name: getattr(exchange, name) for name in names}
    if whole:
        shown["curl"] = as_curl(exchange)
    return shown | {"at": exchange.at.astimezone(UTC).isoformat()}


def lines(exchanges: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Return the lines of a table; an arrow says whether a message came to the hub or left it."""
    table = [_HEADERS, *(_cells(exchange) for exchange in exchanges)]
    widths = [max(len(escaped(row[column])) for row in table) for column in range(len(_HEADERS))]
    for row in table:
        cells = zip(map(escaped, row), widths, _HEADERS, strict=True)
        yield "  ".join(_aligned(*cell) for cell in cells).rstrip()


def _aligned(cell: str, width: int, header: str) -> str:
    return cell.rjust(width) if header in _RIGHT_ALIGNED else cell.ljust(width)


def _cells(exchange: dict[str, Any]) -> tuple[str, ...]:
    code = exchange["status_code"]
    return (
        exchange["at"][11:23],
        "→ hub" if exchange["direction"] == "in" else "  hub →",
        exchange["platform"] or "?",
        f"{exchange['sender'] or '-'} → {exchange['receiver'] or _default_receiver(exchange)}",
        f"{exchange['method']} {module_and_path(exchange)}",
        exchange["route"],
        _or_dash(exchange["http_status"]),
        _or_dash(code),
        f"{exchange['milliseconds']:.1f}",
        "" if code == StatusCode.SUCCESS else exchange["status_message"][:_LONGEST_MESSAGE],
    )


def module_and_path(exchange: dict[str, Any]) -> str:
    """Return module and path of a message: `locations/NL/CPA/LOC1`."""
    return "/".join(filter(None, (exchange["module"], exchange["path"])))


def _default_receiver(exchange: dict[str, Any]) -> str:
    """Return who is meant by a message that names no receiver: the hub, if it came in."""
    return str(hub_party()) if exchange["direction"] == "in" else "-"


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
