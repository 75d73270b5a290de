"""Exchanges as people and scripts read them at the terminal."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from hub.message_log.curl import as_curl
from hub.message_log.sql import BODIES, COLUMNS
from hub.models import Exchange
from ocpi.printable import escaped
from parties.hub_identity import hub_party

_SHOWN = tuple(name for name in COLUMNS if name not in BODIES)
_HEADERS = ("time (UTC)", "", "platform", "parties", "message", "route", "HTTP", "OCPI", "ms", "")
_RIGHT = {"HTTP", "OCPI", "ms"}
_LONGEST_MESSAGE = 60
_GOOD = 1000


def as_json(exchange: Exchange, *, whole: bool = False) -> dict[str, Any]:
    """Return everything but the bodies; as a `whole` with them, and as curl."""
    names = (*_SHOWN, *BODIES) if whole else _SHOWN
    shown = {name: getattr(exchange, name) for name in names}
    if whole:
        shown["curl"] = as_curl(exchange)
    return shown | {"at": exchange.at.astimezone(UTC).isoformat()}


def lines(exchanges: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Write a table: the arrow points to the hub's left at what came in, away at what went out."""
    table = [_HEADERS, *(_cells(exchange) for exchange in exchanges)]
    widths = [max(len(escaped(row[column])) for row in table) for column in range(len(_HEADERS))]
    for row in table:
        cells = zip(map(escaped, row), widths, _HEADERS, strict=True)
        yield "  ".join(_aligned(*cell) for cell in cells).rstrip()


def _aligned(cell: str, width: int, header: str) -> str:
    return cell.rjust(width) if header in _RIGHT else cell.ljust(width)


def _cells(exchange: dict[str, Any]) -> tuple[str, ...]:
    code = exchange["status_code"]
    return (
        exchange["at"][11:23],
        "→ hub" if exchange["direction"] == "in" else "  hub →",
        exchange["platform"] or "?",
        f"{exchange['sender'] or '-'} → {exchange['receiver'] or _nobody(exchange)}",
        f"{exchange['method']} {module_and_path(exchange)}",
        exchange["route"],
        _or_dash(exchange["http_status"]),
        _or_dash(code),
        f"{exchange['milliseconds']:.1f}",
        "" if code == _GOOD else exchange["status_message"][:_LONGEST_MESSAGE],
    )


def module_and_path(exchange: dict[str, Any]) -> str:
    """Say what a message is about: the module and what follows its endpoint."""
    return "/".join(filter(None, (exchange["module"], exchange["path"])))


def _nobody(exchange: dict[str, Any]) -> str:
    """Name who answers what is addressed to nobody."""
    return str(hub_party()) if exchange["direction"] == "in" else "-"


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
