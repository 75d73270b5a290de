"""Registrations of the cast: by the handshake once in a process, then by the rows it left.

A handshake is ten messages between two servers and some fifty statements, and nearly every test
begins with two of them. `tests/test_registrations.py` shows that nothing tells one that is repeated
from the real one.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import DateTimeField, Model, Q
from django.utils import timezone
from requests.structures import CaseInsensitiveDict

from database import sql
from ocpi.types import PartyRef, Role
from operators.models import Change
from parties.models import AllowedParty, Credentials, Endpoint, ObservedDeviation, Party, Platform
from parties.signals import announce, platform_changed, platform_registered
from sandbox import SandboxPlatform, Seen
from sandbox.client import Connection

# The rows of parties_holder are made by a trigger of parties_party.
_PLATFORMS = (AllowedParty, Party, Credentials, Endpoint, ObservedDeviation)
_NEXT = """
SELECT nextval(pg_get_serial_sequence(%(table)s::text, 'id'))
FROM generate_series(1, %(count)s::bigint)"""
Row = dict[str, Any]
Rows = dict[type[Model], list[Row]]


@dataclass(frozen=True, slots=True)
class Registration:
    """What a handshake left at the hub, and at the platform, which was at `origin` then."""

    origin: str
    rows: Rows
    token: str
    connection: Connection
    seen: list[Seen]
    at: datetime = field(default_factory=timezone.now)


_known: dict[object, Registration] = {}


def register(
    platform: SandboxPlatform, name: str, described: object, handshake: Callable[[], object]
) -> None:
    """Register a platform just started: by the handshake, unless one so `described` was before.

    The handshake decides, too, where other settings hold, where rows of the test's own are in the
    way, and where the log is to have its messages.
    """
    key = (name, repr(described), _settings())
    known = None if settings.HUB_MESSAGE_LOG_DAYS else _known.get(key)
    if known is not None and _repeat(known, platform):
        return
    new = _is_new(platform, name)
    handshake()
    if new:
        _known[key] = _left_by(platform, name)


def _is_new(platform: SandboxPlatform, name: str) -> bool:
    """Tell whether all that will be known of a platform is what the handshake leaves."""
    return not (
        Platform.objects.filter(name=name).exists()
        or Change.objects.filter(subject=name).exists()
        or any(Party.objects.filter(_named(*each)).exists() for each in platform.roles)
    )


def _named(role: Role, party: PartyRef) -> Q:
    return Q(role=role.value, country_code=party.country_code, party_id=party.party_id)


def _settings() -> tuple[tuple[str, str], ...]:
    names = sorted(name for name in dir(settings) if name.startswith("HUB_"))
    return tuple((name, repr(getattr(settings, name))) for name in names)


def _left_by(platform: SandboxPlatform, name: str) -> Registration:
    pk = Platform.objects.get(name=name).pk
    selected = {Platform: Q(pk=pk), **dict.fromkeys(_PLATFORMS, Q(platform=pk))}
    selected[Change] = Q(kind=Platform._meta.label, subject=name)
    return Registration(
        origin=platform.addresses.origin,
        rows={model: _rows(model, where) for model, where in selected.items()},
        token=platform.tokens.issued[-1],
        connection=platform.hub.connected,
        seen=platform.seen,
    )


def _rows(model: type[Model], where: Q) -> list[Row]:
    pks = list(model._default_manager.filter(where).order_by("pk").values_list("pk", flat=True))
    table = model._meta.db_table
    read = f"SELECT to_jsonb(t) FROM {table} AS t WHERE id = ANY(%(pks)s) ORDER BY id"  # noqa: S608
    return [json.loads(row) for (row,) in sql.rows(read, {"pks": pks}, prepared=False)]


def _repeat(known: Registration, platform: SandboxPlatform) -> bool:
    """Do to the database and the platform what the handshake did; False if rows are in the way."""
    rows = _anew(known, platform.addresses.origin)
    try:
        sql.in_one_transaction([_insert(model, each) for model, each in rows.items() if each])
    except IntegrityError:
        return False
    _remember(known, platform)
    for signal in (platform_changed, platform_registered):
        announce(signal, Platform, platform_id=rows[Platform][0]["id"])
    return True


def _anew(known: Registration, origin: str) -> Rows:
    """Return the rows of a platform at this origin under new ids.

    This time the handshake takes no time: what was a moment of it is now, what was later is later.
    """
    told = json.dumps(list(known.rows.values())).replace(known.origin, origin)
    rows: Rows = dict(zip(known.rows, json.loads(told), strict=True))
    ids, now = _new_ids(rows), timezone.now()
    for model, row in _each(rows):
        for column in model._meta.concrete_fields:
            value, about = (
                row[column.attname],
                model if column.primary_key else column.related_model,
            )
            if about in rows and value is not None:
                row[column.attname] = ids[about, value]
            elif isinstance(column, DateTimeField) and value is not None:
                later = max(datetime.fromisoformat(value) - known.at, timedelta())
                row[column.attname] = (now + later).isoformat()
    return rows


def _new_ids(rows: Rows) -> dict[tuple[type[Model], int], int]:
    numbered = [
        (_NEXT, {"table": model._meta.db_table, "count": len(each)}) for model, each in rows.items()
    ]
    given = [number for numbers in sql.in_one_transaction(numbered) for (number,) in numbers]
    keys = [(model, row["id"]) for model, row in _each(rows)]
    return dict(zip(keys, given, strict=True))


def _insert(model: type[Model], rows: list[Row]) -> sql.Statement:
    table = model._meta.db_table
    columns = ", ".join(each.attname for each in model._meta.concrete_fields if not each.generated)
    written = (
        f"INSERT INTO {table} ({columns}) SELECT {columns}"  # noqa: S608
        f" FROM jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb) RETURNING id"
    )
    return written, {"rows": json.dumps(rows)}


def _remember(known: Registration, platform: SandboxPlatform) -> None:
    """Leave the platform as it is after its handshake, with the same token."""
    platform.tokens.supersede(platform.tokens.issue(known.token))
    platform.hub.connection = known.connection
    for seen in known.seen:
        headers = {**seen.headers, "Host": f"{platform.host}:{platform.port}"}
        again = Seen(seen.method, seen.path, CaseInsensitiveDict(headers), seen.body)
        platform.recorder.add(again)
        platform.recorder.settle(again)


def _each(rows: Rows) -> Iterator[tuple[type[Model], Row]]:
    return ((model, row) for model, each in rows.items() for row in each)
