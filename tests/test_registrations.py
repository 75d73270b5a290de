"""A repeated registration leaves what a real one leaves, at the hub and at the platform."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.management import call_command
from django.db.models import DateTimeField
from django.dispatch import Signal
from django.utils import timezone

from database import sql
from hub import broker
from parties import signals
from parties.models import Platform
from sandbox import SandboxPlatform
from tests.cast import ROLES, Cast
from tests.conftest import HubServer
from tests.factories import PlatformFactory

SIGNALS = {name: each for name, each in vars(signals).items() if isinstance(each, Signal)}
MODELS = {model._meta.db_table: model for model in apps.get_models()}
_SECRETS = {"digest", "sealed", "last_four"}
Joined = Callable[..., SandboxPlatform]
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
def announced() -> Iterator[list[str]]:
    """List the signals of the parties that are sent."""
    sent: list[str] = []

    def note(signal: Signal, **_: object) -> None:
        sent.append(next(name for name, each in SIGNALS.items() if each is signal))

    for each in SIGNALS.values():
        each.connect(note)
    yield sent
    for each in SIGNALS.values():
        each.disconnect(note)


@pytest.fixture
def joined(hub_server: HubServer, announced: list[str]) -> Iterator[Joined]:
    """Register one member of the cast where there is nothing else."""
    with ExitStack() as stack:

        def join(name: str, *, repeated: bool) -> SandboxPlatform:
            call_command("flush", interactive=False, verbosity=0)
            for key in broker.connection().scan_iter("hub:*"):
                broker.connection().delete(key)
            announced.clear()
            cast = stack.enter_context(Cast(hub_server.versions_url, repeated=repeated))
            return cast[name]

        yield join


@pytest.mark.parametrize("name", ROLES)
def test_nothing_tells_a_repeated_registration_from_a_real_one(
    joined: Joined, announced: list[str], name: str
) -> None:
    """All tables, what is announced, what wakes workers, and what the platform knows and saw."""
    real = _left(joined(name, repeated=False), announced)
    first = joined(name, repeated=True)
    again = joined(name, repeated=True)
    assert again.tokens.issued == first.tokens.issued
    assert _left(again, announced) == real


def test_a_repeated_registration_is_of_this_moment(joined: Joined) -> None:
    """No row is older than what the test did before it; what is to end ends as much later."""
    joined("P1", repeated=True)
    end, before = max(_moments()), timezone.now()
    platform = joined("P1", repeated=True)
    *moments, new_end = sorted(_moments())
    assert before <= moments[0] <= moments[-1] <= timezone.now()
    assert timedelta() < new_end - end < timedelta(minutes=1)
    assert all(seen.unix >= before.timestamp() for seen in platform.seen)


def test_a_repeated_registration_is_in_force(joined: Joined) -> None:
    """Both tokens open, the platform's may be renewed, and the connection be ended."""
    joined("P2", repeated=True)
    platform = joined("P2", repeated=True)
    assert platform.hub.list("locations").data == []
    assert platform.rotate().succeeded
    assert platform.hub.list("locations").data == []
    assert platform.unregister().succeeded
    assert Platform.objects.get().status == "SUSPENDED"


def test_two_members_of_one_test_have_rows_of_their_own(cast: Cast) -> None:
    """Whose a row is stays clear however often each was registered before."""
    names = ["P1", "P4", "TNM as CPO", "TNM as eMSP"]
    for name in names:
        cast[name]
    found = {row.name: row for row in Platform.objects.all()}
    assert sorted(found) == names
    for name, row in found.items():
        parties = {(each.role, each.country_code, each.party_id) for each in row.parties.all()}
        assert parties == set(ROLES[name])
        assert {each.url.split("/ocpi")[0] for each in row.endpoints.all()} == {
            cast[name].addresses.origin
        }


def test_where_rows_are_in_the_way_the_handshake_decides(cast: Cast) -> None:
    """A platform that the test itself prepared registers as any other does."""
    PlatformFactory(name="P3", planned=True)  # type: ignore[no-untyped-call]
    platform = cast["P3"]
    assert Platform.objects.get(name="P3").is_registered
    assert platform.hub.list("locations").data == []


def test_another_setting_means_a_handshake_of_its_own(
    joined: Joined, settings: LazySettings
) -> None:
    """What was registered under one setting says nothing about another."""
    first = joined("P1", repeated=True)
    settings.HUB_TOKEN_A_DAYS += 1
    other, same = joined("P1", repeated=True), joined("P1", repeated=True)
    assert first.tokens.issued != other.tokens.issued == same.tokens.issued


def _left(platform: SandboxPlatform, announced: list[str]) -> dict[str, Any]:
    """Describe all that a registration changed, but for what differs every time."""
    origin = platform.addresses.origin
    assert {seen.headers["Host"] for seen in platform.seen} == {origin.removeprefix("http://")}
    return {
        **_described(_tables(), origin),
        "announced": list(announced),
        "wakes": sorted(broker.connection().scan_iter("hub:*")),
        "tokens": [list(platform.tokens.valid.values()), len(platform.tokens.issued)],
        "connection": replace(platform.hub.connected, token=""),
        "seen": [(str(seen), sorted(seen.headers), seen.body) for seen in platform.seen],
    }


def _tables() -> Tables:
    """Read every row of the database."""
    return {
        table: [
            json.loads(row)
            for (row,) in sql.rows(
                f"SELECT to_jsonb(t) FROM {table} AS t ORDER BY {model._meta.pk.attname}",  # noqa: S608
                {},
            )
        ]
        for table, model in MODELS.items()
    }


def _described(tables: Tables, origin: str) -> Tables:
    """Write what a row refers to by its place in its table, moments by the hour."""
    places = {
        (MODELS[table], row[MODELS[table]._meta.pk.attname]): f"{table} {place}"
        for table, rows in tables.items()
        for place, row in enumerate(rows)
    }
    platforms = {row["id"]: row["name"] for row in tables["parties_platform"]}
    for row in tables["parties_holder"]:
        row["platform"] = platforms[row["platform"]]
    for table, row in _each(tables):
        row.update({column: "…" for column in _SECRETS & set(row) if row[column]})
        for column in MODELS[table]._meta.concrete_fields:
            about = MODELS[table] if column.primary_key else column.related_model
            value = row[column.attname]
            row[column.attname] = places.get((about, value), value) if about else value
            if isinstance(column, DateTimeField) and value:
                age = datetime.fromisoformat(value) - timezone.now()
                row[column.attname] = round(age / timedelta(hours=1))
    told = json.dumps(tables, ensure_ascii=False).replace(origin, "http://platform")
    described: Tables = json.loads(re.sub("…[0-9a-f]{4}", "…", told))
    return described


def _moments() -> list[datetime]:
    return [
        datetime.fromisoformat(row[column.attname])
        for table, row in _each(_tables())
        for column in MODELS[table]._meta.concrete_fields
        if isinstance(column, DateTimeField) and row[column.attname]
    ]


def _each(tables: Tables) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((table, row) for table, rows in tables.items() for row in rows)
