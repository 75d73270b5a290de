"""Who is behind, on the command line."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command

from hub import broker
from hub.models import Subscription
from ocpi.sandbox.platform import SandboxPlatform
from tests.cast import CPA, a_location
from tests.hub.owner import Owner


def told(*arguments: str) -> str:
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
        told("--party", "de-msa", "--module", "locations", "--json")
    )

    [found] = rows
    assert (found["receiver"], found["module"], found["behind"]) == ("DE-MSA", "locations", 1)
    assert "DE-MSA locations: 1 behind" in told()
    assert told("--party", "XX-XXX").startswith("nobody is subscribed")


def test_delivery_is_woken(owner: Owner, emsp: SandboxPlatform) -> None:
    """A task for each that is chosen, as the console's action starts."""
    assert owner
    assert emsp
    broker.connection().flushdb()
    number = Subscription.objects.filter(receiver__key="DE-MSA").count()

    told("--party", "DE-MSA", "--deliver")

    waiting = sum(int(broker.connection().llen(name)) for name in ("realtime", "bulk"))
    broker.connection().flushdb()
    assert waiting == number
