"""What is personal ends when its days are over, and comes back from no list."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db.models import F
from django.utils import timezone

from hub.models import (
    Cdr,
    Change,
    DeadLetter,
    KeptCdr,
    PullState,
    Quarantined,
    Receipt,
    Subscription,
    Token,
)
from hub.models import Session as StoredSession
from hub.privacy import personal_retention
from hub.pull import object_retention
from hub.tasks.housekeeping import prune_personal
from ocpi.types import ModuleID
from operators.audit import record
from operators.models import Change as Audited
from parties.models import ObservedDeviation
from settings.celery_config import beat_schedule
from tests.cast import CPA, HUB, MSA, Cast
from tests.hub.privacy.driver_everywhere import CDR, SESSION, UID, plant
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import a_token

Deliver = Callable[[], int]
pytestmark = pytest.mark.security("S-25")
DAYS = {
    "HUB_TOKEN_DAYS": 90,
    "HUB_SESSION_DAYS": 180,
    "HUB_DRIVER_DAYS": 400,
    "HUB_CDR_DAYS": 3_650,
    "HUB_DEAD_LETTER_DAYS": 90,
    "HUB_QUARANTINE_DAYS": 90,
    "HUB_FIGURES_DAYS": 90,
    "HUB_AUDIT_DAYS": 1_095,
}


@pytest.fixture
def kept(settings: LazySettings) -> LazySettings:
    """Keep as long as a hub does that sets nothing."""
    for name, days in DAYS.items():
        setattr(settings, name, days)
    return settings


def ago(days: float) -> datetime:
    """Return a moment some days ago."""
    return timezone.now() - timedelta(days=days)


def aged(days: float) -> None:
    """Let everything be so much older."""
    by = timedelta(days=days)
    for model, names in (
        (Token, ("changed_at",)),
        (StoredSession, ("changed_at", "last_updated")),
        (Cdr, ("posted_at",)),
        (DeadLetter, ("created_at",)),
        (Quarantined, ("last_seen_at",)),
        (ObservedDeviation, ("last_at",)),
        (Audited, ("at",)),
    ):
        model.objects.update(**{name: F(name) - by for name in names})


def test_each_kind_ends_when_its_days_are_over(
    cast: Cast, deliver_all: Deliver, kept: LazySettings
) -> None:
    """Not before; what was noted of their delivery goes with tokens, sessions and CDRs."""
    plant(cast, deliver_all)
    Token.objects.filter(audience="").update(valid=False)
    Quarantined.objects.update(last_seen_at=timezone.now())
    assert personal_retention.prune() == {}

    aged(91)
    ended = personal_retention.prune()
    assert {name for name, number in ended.items() if number} == {
        *("tokens", "quarantined", "deviations"),
        *(["dead letters"] if ended["dead letters"] else []),
    }
    assert [row.audience for row in Token.objects.all()] == ["NL-CPA"]
    assert not DeadLetter.objects.exists()
    assert not Receipt.objects.filter(subscription__module="tokens").exists()

    aged(90)
    assert personal_retention.prune() == {"sessions": 1}
    assert not Receipt.objects.filter(subscription__module="sessions").exists()
    assert Receipt.objects.filter(subscription__module="cdrs").exists()

    aged(220)
    assert personal_retention.prune() == {"drivers of CDRs": 1}
    assert json.loads(Cdr.objects.get().text)["cdr_token"]["uid"] == "ERASED"

    aged(700)
    assert set(personal_retention.prune()) == {"audit"}
    aged(2_555)
    assert personal_retention.prune()["CDRs"] == 1
    assert not Cdr.objects.exists()
    assert not Receipt.objects.filter(subscription__module="cdrs").exists()


def test_beat_has_it_done_every_hour() -> None:
    """What nobody starts ends nothing."""
    planned = {each["task"]: each["schedule"] for each in beat_schedule.values()}
    assert planned[prune_personal.name] == 3_600


@pytest.mark.django_db
def test_nothing_ends_where_zero_days_are_set(settings: LazySettings) -> None:
    """Zero keeps for ever; what beat has done is what the setting says by then."""
    for name in DAYS:
        setattr(settings, name, 0)
    record("x", "y")
    Audited.objects.update(at=ago(9_999))
    prune_personal()
    assert Audited.objects.exists()
    settings.HUB_AUDIT_DAYS = 1
    prune_personal()
    assert not Audited.objects.exists()


@pytest.mark.django_db
def test_a_valid_token_is_kept_however_old(kept: LazySettings) -> None:
    """Its owner says that it may charge; one that is on no list goes like a blocked one."""
    values: dict[str, Any] = {
        "owner": "DE-MSA",
        "version": "2.2.1",
        "text": "{}",
        "last_updated": ago(999),
        "last_updated_text": "",
        "changed_at": ago(999),
    }
    kinds: list[dict[str, Any]] = [{}, {"valid": False}, {"missed": 2}, {"missed": 1}]
    for number, more in enumerate(kinds):
        name = f"T{number}"
        Token.objects.create(object_id=name, object_key=name, **values, **more)
    assert personal_retention.prune() == {"tokens": 2}
    assert sorted(Token.objects.values_list("object_id", flat=True)) == ["T0", "T3"]


@pytest.mark.django_db
def test_kept_cdrs_end_like_all_cdrs(kept: LazySettings) -> None:
    """The law's years count from when the hub got them."""
    for days in (3_600, 3_700):
        KeptCdr.objects.create(
            platform="P", owner="NL-CPA", recipient="DE-MSA", text="{}", posted_at=ago(days)
        )
    assert personal_retention.prune() == {"kept CDRs": 1}


def test_what_ended_does_not_come_back_from_its_owners_list(
    cast: Cast, deliver_all: Deliver, kept: LazySettings
) -> None:
    """Neither old sessions and CDRs nor tokens long blocked are stored or delivered again."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    old = {"last_updated": f"{ago(200):%Y-%m-%dT%H:%M:%SZ}"}
    offer(cpo, "sessions", SESSION | old)
    offer(cpo, "cdrs", CDR | {"last_updated": f"{ago(3_700):%Y-%m-%dT%H:%M:%SZ}"})
    blocked = a_token(uid="BLOCKED", valid=False) | old
    offer(emsp, "tokens", a_token(uid=UID) | old, blocked)
    done = [read(module, CPA, full=True) for module in ("sessions", "cdrs")]
    assert [(each.stored, each.older) for each in done] == [(0, 1), (0, 1)]
    tokens = read("tokens", MSA, full=True)
    assert (tokens.stored, tokens.older) == (1, 1)
    assert [row.object_id for row in Token.objects.all()] == [UID]
    assert set(Change.objects.values_list("module", flat=True)) == {"tokens"}
    assert PullState.objects.filter(passed_over__gt=0).count() == 0
    assert Subscription.objects.exists()
    assert HUB


def test_a_cdr_without_its_driver_meets_its_own_list_again(
    cast: Cast, deliver_all: Deliver, kept: LazySettings
) -> None:
    """What its owner's list still says of the driver is neither stored nor a contradiction."""
    cpo = cast["P1"]
    cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    offer(cpo, "cdrs", CDR)
    assert read("cdrs", CPA, full=True).stored == 1
    aged(401)
    assert personal_retention.prune() == {"drivers of CDRs": 1}
    again = read("cdrs", CPA, full=True)
    assert (again.stored, again.unchanged, again.quarantined) == (0, 1, 0)
    assert UID not in Cdr.objects.get().text


def test_every_lifetime_of_an_object_is_known_to_its_list() -> None:
    """Deleting what the next reading brings back would be no end."""
    ends = {each.setting for each in personal_retention.LIFETIMES}
    assert set(object_retention.SETTINGS.values()) <= ends
    assert set(object_retention.SETTINGS) == {ModuleID.TOKENS, ModuleID.SESSIONS, ModuleID.CDRS}
