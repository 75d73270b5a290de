"""What was stored before a key could be at two platforms goes to the one whose role is meant.

Spec: 2.2.1 credentials, CredentialsRole class; A-30. The migration files anew what was filed under
the key alone: an owner's objects, changes, receipts, dead letters and snapshots, and what was for a
party.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from parties.models import Holder

pytestmark = [pytest.mark.security("S-10"), pytest.mark.django_db(transaction=True)]

BEFORE = [("hub", "0023_throttled"), ("parties", "0005_holders")]
SHARED = {
    "DE-AAA": ("CPO", "EMSP"),
    "DE-BBB": ("EMSP", "CPO"),
    "DE-CCC": ("CPO", "NSP"),
    "DE-DDD": ("NAP", "SCSP"),
    "DE-EEE": ("SCSP", "CPO"),
    "DE-FFF": ("OTHER", "EMSP"),
    "DE-GGG": ("CPO", "NAP"),
    "DE-HHH": ("NSP", "OTHER", "EMSP"),
}
"""Keys with their role at each platform that has them, the first that registered first."""
ALONE = {"NL-CPA": "CPO", "NL-MSA": "EMSP"}
OF_OPEN, READ_OPEN = {"CPO", "NAP"}, {"EMSP", "NSP", "NAP", "OTHER"}
OWNERS = {"locations": OF_OPEN, "tariffs": OF_OPEN, "tokens": {"EMSP", "OTHER"}}
READERS = {"locations": READ_OPEN, "tariffs": READ_OPEN, "tokens": {"CPO"}}
CHARGED = ("sessions", "cdrs")
OWNERS |= {module: {"CPO"} for module in CHARGED}
READERS |= {"sessions": {"EMSP", "OTHER", "SCSP"}, "cdrs": {"EMSP", "OTHER"}}
HAVE_TOKENS = {"EMSP", "OTHER"}
MODELS = {
    "locations": "Location",
    "tariffs": "Tariff",
    "tokens": "Token",
    "sessions": "Session",
    "cdrs": "Cdr",
}


def latest() -> list[tuple[str, str]]:
    """Return the last migration of each application."""
    leaves: list[tuple[str, str]] = MigrationExecutor(connection).loader.graph.leaf_nodes()
    return leaves


@pytest.fixture
def before() -> Iterator[Any]:
    """Give the models as they were before; afterwards the tables are as they shall be."""
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    yield executor.loader.project_state(BEFORE).apps
    MigrationExecutor(connection).migrate(latest())


def forward() -> None:
    """Upgrade."""
    MigrationExecutor(connection).migrate(latest())


def registered(apps: Any) -> None:
    """Register every key at its platforms, in turn."""
    platform, party = apps.get_model("parties", "Platform"), apps.get_model("parties", "Party")
    for turn in range(3):
        for key, roles in (SHARED | {key: (role,) for key, role in ALONE.items()}).items():
            if turn < len(roles):
                home = platform.objects.create(name=f"{roles[turn]} of {key}")
                country, name = key.split("-")
                party.objects.create(
                    platform=home,
                    role=roles[turn],
                    country_code=country,
                    party_id=name,
                )


def stored(apps: Any, module: str, owner: str, audience: str = "", recipient: str = "") -> None:
    """Store an object of a module, and its change, as they were stored before."""
    about = {"owner": owner, "object_key": f"{owner}/{audience}"[:36], "audience": audience}
    now = timezone.now()
    named = {"recipient": recipient} if module in CHARGED else {}
    apps.get_model("hub", MODELS[module]).objects.create(
        **about,
        **named,
        object_id=about["object_key"],
        version="2.2.1",
        text="{}",
        last_updated=now,
        last_updated_text="",
    )
    apps.get_model("hub", "Change").objects.create(
        **about, transaction=1, module=module, revision=1, method="PUT", path="", correlation_id=""
    )


def delivered(apps: Any, module: str, owner: str) -> None:
    """Note what became of an owner's objects at NL-CPA or NL-MSA."""
    reader = "NL-CPA" if module == "tokens" else "NL-MSA"
    party = apps.get_model("parties", "Party").objects.get(key=reader)
    make = {"receiver": party, "module": module, "defaults": {"transaction": 1}}
    subscription, _ = apps.get_model("hub", "Subscription").objects.get_or_create(**make)
    about = {"subscription": subscription, "owner": owner}
    apps.get_model("hub", "Snapshot").objects.create(**about)
    apps.get_model("hub", "Receipt").objects.create(**about, object_key="X")
    apps.get_model("hub", "DeadLetter").objects.create(
        **about, object_key="X", method="PUT", path="", reason="", correlation_id=""
    )


def expected(key: str, roles: set[str]) -> str:
    """Say who a key means: who had it first, unless only another one has such a role."""
    names = list(Holder.objects.filter(key=key).order_by("id").values_list("name", flat=True))
    fitting = [name for name, role in zip(names, SHARED[key], strict=True) if role in roles]
    return fitting[0] if fitting and key not in fitting else key


def found(rows: Any, column: str) -> list[str]:
    """List the names in a column."""
    return sorted(rows.exclude(**{column: ""}).values_list(column, flat=True))


def test_what_an_owner_has_is_its_who_can_own_it(before: Any) -> None:
    """Objects, changes, snapshots, receipts and dead letters, module by module."""
    registered(before)
    for module, key in product(MODELS, SHARED):
        stored(before, module, key)
        delivered(before, module, key)

    forward()

    for module, roles in OWNERS.items():
        names = sorted(expected(key, roles) for key in SHARED)
        assert any("@" in name for name in names)
        rows = before.get_model("hub", MODELS[module]).objects
        assert found(rows, "owner") == names, module
        changes = before.get_model("hub", "Change").objects.filter(module=module)
        assert found(changes, "owner") == names, module
        for kind in ("Snapshot", "Receipt", "DeadLetter"):
            of = before.get_model("hub", kind).objects.filter(subscription__module=module)
            assert found(of, "owner") == names, (module, kind)


def test_what_a_party_was_sent_is_its_who_can_read_it(before: Any) -> None:
    """Objects and changes by their audience; whose token was charged with, by its recipient."""
    registered(before)
    for module, key in product(MODELS, SHARED):
        stored(before, module, "NL-CPA", audience=key, recipient=key)

    forward()

    for module, roles in READERS.items():
        names = sorted(expected(key, roles) for key in SHARED)
        assert any("@" in name for name in names)
        rows = before.get_model("hub", MODELS[module]).objects
        assert found(rows, "audience") == names, module
        changes = before.get_model("hub", "Change").objects.filter(module=module)
        assert found(changes, "audience") == names, module
        assert found(rows, "owner") == ["NL-CPA"] * len(SHARED)
        if module in CHARGED:
            assert found(rows, "recipient") == sorted(expected(key, HAVE_TOKENS) for key in SHARED)


def test_what_only_one_platform_has_stays_as_it_is(before: Any) -> None:
    """Nothing of others is touched, and the way back and forth is open."""
    registered(before)
    stored(before, "locations", "NL-CPA", audience="NL-MSA")
    delivered(before, "locations", "NL-CPA")

    forward()

    assert found(before.get_model("hub", "Location").objects, "owner") == ["NL-CPA"]
    assert found(before.get_model("hub", "Location").objects, "audience") == ["NL-MSA"]
    assert found(before.get_model("hub", "Snapshot").objects, "owner") == ["NL-CPA"]
