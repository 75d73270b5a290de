"""What watches the hub says from which figures on somebody has to look; the command's exit does."""

import pytest
from django.test import Client
from django.utils import timezone

from hub.management.commands.status import ALARMS
from hub.models import Throttled
from tests.parties.commands import fails, run, run_json

pytestmark = [pytest.mark.django_db, pytest.mark.security("S-07", "S-21")]


def refuse(number: int) -> None:
    """Let so many requests of strangers be too many."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    Throttled.objects.create(platform="", hour=hour, number=number)


def test_a_figure_above_its_bound_is_an_alarm() -> None:
    """With what it is and what it may be; at the bound it is none."""
    refuse(12)
    assert run_json("status", "--alarm", "throttled=12")["alarms"] == []
    [alarm] = run_json("status", "--alarm", "throttled=11", "--alarm", "offline=0", code=1)[
        "alarms"
    ]
    assert alarm == {"figure": "throttled", "is": 12, "most": 11}


def test_log_ins_that_fail_are_a_figure() -> None:
    """Whoever tries, and however they go on: each is counted."""
    for name in ("nobody", "nobody", "somebody"):
        Client().post("/admin/login/", {"username": name, "password": "wrong"})
    assert run_json("status", "--alarm", "failed_log_ins=2", code=1)["failed_log_ins"] == 3
    assert "Failed log-ins:      3" in run("status")


def test_each_figure_may_be_watched() -> None:
    """Of a hub in which nothing is wrong none is above nothing."""
    bounds = [word for name in ALARMS for word in ("--alarm", f"{name}=0")]
    assert run_json("status", *bounds)["alarms"] == []


def test_what_is_no_figure_is_refused() -> None:
    """With those there are."""
    assert "throttled" in fails("status", "--alarm", "weather=1")
    assert "like throttled=1000" in fails("status", "--alarm", "throttled=many")
