"""Who is wrong when a flow between the hub and a peer fails: decided by what both said. No I/O.

What the laboratory sends is right by the tables (`tests.peers.flows`), and what the hub makes of
its own is shown to be right by the tests of conformance. So whoever refuses it is wrong, unless the
specification leaves open what was meant.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of a flow."""

    DONE = "done"
    FAILED = "failed"


class Wrong(StrEnum):
    """Whose fault a failure is; nobody's, as long as nothing says so."""

    NOBODY = ""
    HUB = "hub"
    PEER = "peer"
    SPECIFICATION = "spec"
    UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer as the hub's log has them; `direction` `in`: the hub answered.

    `http_status` and `status_code` are None where no answer or no envelope came.
    """

    direction: str
    what: str
    http_status: int | None
    status_code: int | None
    message: str

    @classmethod
    def of_log(cls, row: Mapping[str, Any]) -> "Exchange":
        """Read a row of `manage.py log --json`."""
        return cls(
            direction=row["direction"],
            what=f"{row['method']} {row['module']} {row['path']}".strip(),
            http_status=row["http_status"],
            status_code=row["status_code"],
            message=row["status_message"],
        )

    @property
    def has_failed(self) -> bool:
        """Whether it ended in anything else than success."""
        return self.status_code is None or self.status_code // 1000 != 1

    def __str__(self) -> str:
        arrow = "to the hub" if self.direction == "in" else "by the hub"
        codes = f"HTTP {self.http_status or '-'}, status {self.status_code or '-'}"
        return f"{self.what} {arrow}: {codes}: {self.message[:_LONGEST]}".rstrip(": ")


_LONGEST = 160
_LEFT_OPEN: Mapping[str, str] = {
    r"HTTP 30[178]": "A-01",
    r"no Base64|not Base64": "A-02",
}
"""Words of a peer's failure that a gap of the specification explains, and its number."""
_HUB_FAILED = range(3000, 4000)
_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one flow, who is wrong, and by which exchange."""

    outcome: Outcome
    wrong: Wrong = Wrong.NOBODY
    reason: str = ""


def verdict(*, succeeded: bool, exchanges: Sequence[Exchange], reason: str = "") -> Verdict:
    """Judge a flow by its end and by what was said meanwhile, oldest first.

    The last that failed decides: what failed before was tried again.
    """
    if succeeded:
        return Verdict(Outcome.DONE)
    failed = [each for each in exchanges if each.has_failed]
    if not failed:
        return Verdict(Outcome.FAILED, Wrong.UNKNOWN, reason)
    # Where one message leads to another, the deeper one is the cause: the hub's answer repeats it.
    deepest = next((each for each in reversed(failed) if each.direction == "out"), failed[-1])
    said = f"{deepest}; {reason}" if reason else str(deepest)
    return Verdict(Outcome.FAILED, wrong_by(deepest), said)


def wrong_by(exchange: Exchange) -> Wrong:
    """Tell whose fault an exchange that failed is."""
    if exchange.direction == "out":
        is_open = any(re.search(pattern, exchange.message) for pattern in _LEFT_OPEN)
        return Wrong.SPECIFICATION if is_open else Wrong.PEER
    code, http_status = exchange.status_code, exchange.http_status
    if code in _HUB_FAILED or (http_status or _FIRST_SERVER_ERROR) >= _FIRST_SERVER_ERROR:
        return Wrong.HUB
    return Wrong.PEER
