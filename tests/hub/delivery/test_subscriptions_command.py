"""Who is behind, on the command line."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from hub import broker
from hub.models import Snapshot, Subscription
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, a_location
from tests.hub.location_owner import Owner


def output(*arguments: str) -> str:
    """Run the command and return what it prints."""
    out = StringIO()
    call_command("subscriptions", *arguments, stdout=out)
    return out.getvalue()


def test_each_receiver_with_its_lag(
    owner: Owner, emsp: SandboxPlatform, deliver_all: Callable[[], int]
) -> None:
    """Of one party and module, or of all."""
    assert emsp
    deliver_all()
    owner.put("L1", body=a_location(CPA, 1))

    rows: list[dict[str, Any]] = json.loads(
        output("--party", "de-msa", "--module", "locations", "--json")
    )

    [found] = rows
    assert (found["receiver"], found["module"], found["behind"]) == ("DE-MSA", "locations", 1)
    assert "DE-MSA locations: 1 behind" in output()
    assert output("--party", "XX-XXX").startswith("No such subscriptions")


def test_delivery_is_started(owner: Owner, emsp: SandboxPlatform) -> None:
    """A task for each that is chosen, as the console's action starts; snapshots are long work."""
    assert owner
    assert emsp
    chosen = Subscription.objects.filter(receiver__key="DE-MSA")
    chosen.get(module="locations").snapshots.update(finished_at=None)
    broker.connection().flushdb()

    output("--party", "DE-MSA", "--deliver")

    waiting = {name: int(broker.connection().llen(name)) for name in ("realtime", "bulk")}
    broker.connection().flushdb()
    assert waiting == {"realtime": chosen.count() - 1, "bulk": 1}


class _Terminal(StringIO):
    def isatty(self) -> bool:
        """Be one."""
        return True


def test_a_terminal_sees_how_far_snapshots_are(owner: Owner, emsp: SandboxPlatform) -> None:
    """A bar while one waits for them; once they are over nobody waits."""
    assert emsp
    owner.put("L1", body=a_location(CPA, 1))
    subscription = Subscription.objects.get(receiver__key="DE-MSA", module="locations")
    Snapshot.objects.filter(subscription=subscription).delete()
    Snapshot.objects.create(subscription=subscription, owner="NL-CPA", sent=3)
    chosen = ("--party", "DE-MSA", "--module", "locations")

    terminal = _Terminal()
    call_command("subscriptions", *chosen, "--wait", "0.2", stdout=StringIO(), stderr=terminal)

    assert "75%  objects: 3 of 4" in terminal.getvalue()
    assert "snapshot 3 of 4" in output(*chosen)
    Snapshot.objects.update(finished_at=timezone.now())
    assert json.loads(output(*chosen, "--json", "--wait", "60"))[0]["snapshot"] is None
