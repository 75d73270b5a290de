"""Which EVSEs have which status after a change of the feed, and which changes of status that makes.

Spec: 2.2.1 mod_locations, EVSE object. Pure functions: `hub.statistics.follower` reads and writes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

import msgspec
from msgspec import UNSET, Struct

from hub.module_policy import POLICIES
from ocpi.types import ModuleID, fold

NOT_THERE = ""
"""The status of an EVSE that its Location does not have."""
_status_of = POLICIES[ModuleID.LOCATIONS].part_columns["status"]
_OBJECT, _PART = 1, 2


class _Evse(Struct):
    uid: str = ""
    status: object = UNSET


class _Location(Struct):
    evses: list[_Evse] | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What one change says of the EVSEs of a Location: their statuses by key.

    It is `whole` when EVSEs that it does not name are not there any more.
    """

    statuses: Mapping[str, str]
    at: datetime
    whole: bool = False


@dataclass(slots=True)
class Known:
    """The status that an EVSE has as far as is known, and since when."""

    status: str
    since: datetime | None = None


@dataclass(slots=True)
class Changed:
    """A change of status within one minute: what it was when the minute began, what it became."""

    minute: datetime
    at: datetime
    before: str
    status: str


def said(method: str, path: str, body: str | None, at: datetime) -> Said:
    """Read a change of the feed; one of a Connector says nothing of any status."""
    ids = [unquote(step) for step in path.split("/")[2:]]
    if body is None or len(ids) not in {_OBJECT, _PART}:
        return Said({}, at)
    if len(ids) == _PART:
        return Said(_statuses([(ids[1], msgspec.json.decode(body, type=_Evse))]), at)
    evses = msgspec.json.decode(body, type=_Location).evses or []
    return Said(_statuses((each.uid, each) for each in evses), at, whole=method == "PUT")


def follow(known: Mapping[str, Known], changes: Iterable[Said]) -> dict[str, list[Changed]]:
    """Return what changed by key, of several in a minute only the last; `known` is kept up."""
    found: dict[str, list[Changed]] = {}
    for change in changes:
        left = dict.fromkeys(known, NOT_THERE) if change.whole else {}
        for key, status in {**left, **change.statuses}.items():
            evse = known.get(key)
            if evse is None or evse.status == status:
                continue
            _note(found.setdefault(key, []), evse, status, change.at)
    return found


def _note(noted: list[Changed], evse: Known, status: str, at: datetime) -> None:
    """Note a change; a transaction that waited for another began before what that one did."""
    moment = max(at, evse.since or at)
    minute = moment.replace(second=0, microsecond=0)
    if noted and noted[-1].minute == minute:
        noted[-1].at, noted[-1].status = moment, status
    else:
        noted.append(Changed(minute, moment, evse.status, status))
    evse.status, evse.since = status, moment


def _statuses(evses: Iterable[tuple[str, _Evse]]) -> dict[str, str]:
    return {
        fold(uid): str(_status_of({"status": evse.status}))
        for uid, evse in evses
        if evse.status is not UNSET
    }
