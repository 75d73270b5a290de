"""Dead letters sent again: one by one or all, as things are now."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from hub.delivery import redrive as delivery_redrive
from hub.delivery.redrive import redrive
from hub.models import DeadLetter, Receipt, Subscription
from parties.models import Agreement, Platform
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, CPB, Cast, a_location, command, push
from tests.hub.exchange import TARIFFS, Trade
from tests.hub.location_owner import T2, Owner, pushes, received
from tests.parties.commands import fails, run, run_json

Deliver = Callable[[], int]


@pytest.fixture
def refused(owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver) -> SandboxPlatform:
    """DE-MSA, which refused L1, L2 and L3 and has nothing against them any more."""
    with emsp.answer("/locations/", misbehaviour.refuse(2001, "not now")):
        for number in (1, 2, 3):
            owner.put(f"L{number}", body=a_location(CPA, number))
        deliver_all()
    emsp.forget()
    return emsp


def dead_letters() -> list[str]:
    """Return the paths of the dead letters."""
    return list(DeadLetter.objects.order_by("path").values_list("path", flat=True))


def test_one_letter_is_sent_again(refused: SandboxPlatform) -> None:
    """It leaves the list once its message is delivered; the others stay."""
    chosen = DeadLetter.objects.get(path="NL/CPA/L2")

    result = command("redrive", "--id", str(chosen.pk))

    assert (result["chosen"], result["delivered"], result["left"]) == (1, 1, 0)
    assert set(received(refused)) == {"NL-CPA/L2"}
    assert dead_letters() == ["NL/CPA/L1", "NL/CPA/L3"]


def test_all_dead_letters_are_sent_again_with_the_state_of_now(
    refused: SandboxPlatform, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress is shown after each batch; what changed meanwhile is not undone."""
    monkeypatch.setattr(delivery_redrive, "_BATCH", 2)
    owner.patch("L3", body={"name": "newer", "last_updated": T2})

    lines = run("redrive", "--all").splitlines()

    assert [line.partition("  ")[0] for line in lines[:-1]] == ["2 of 3", "3 of 3"]
    assert lines[-1].startswith("3 dead letters: 3 delivered, 0 refused")
    assert {seen.method for seen in pushes(refused)} == {"PUT"}
    assert received(refused) == {f"NL-CPA/L{n}": owner.get(f"L{n}") for n in (1, 2, 3)}
    assert dead_letters() == []
    assert Receipt.objects.get(object_key="L3").revision == 2


def test_what_is_refused_again_has_the_new_reason(refused: SandboxPlatform) -> None:
    """One dead letter each, as before."""
    refused.answer("PUT /L2", misbehaviour.refuse(2002, "never"))

    result = command("redrive", "--party", "DE-MSA", "--module", "locations")

    assert (result["delivered"], result["refused"], result["left"]) == (2, 1, 0)
    assert ["never" in dead_letter.reason for dead_letter in DeadLetter.objects.all()] == [True]


def test_what_another_sent_meanwhile_is_not_sent_twice(refused: SandboxPlatform) -> None:
    """Whoever waits for the subscription looks again at what is still in the list."""
    [chosen] = DeadLetter.objects.filter(path="NL/CPA/L2").select_related("subscription")
    redrive([chosen.pk])

    waited = delivery_redrive._redrive_batch(chosen.subscription_id, [chosen])

    assert waited.delivered == 0
    assert len(pushes(refused)) == 1
    assert [each.gone for each in redrive([chosen.pk])] == [1]


def test_a_receiver_that_is_down_keeps_its_dead_letters(refused: SandboxPlatform) -> None:
    """It says why it stopped, and nothing is lost."""
    refused.answer("PUT", misbehaviour.reset())

    result = run_json("redrive", "--all", code=1)

    assert (result["delivered"], result["left"]) == (0, 3)
    assert result["batches"][0]["why"]
    assert len(dead_letters()) == 3


def test_who_may_not_have_it_any_more_gets_nothing(refused: SandboxPlatform) -> None:
    """Access is asked at the moment of sending."""
    Agreement.objects.update(state="SUSPENDED")

    result = run_json("redrive", "--all", code=1)

    assert "may no longer have anything of NL-CPA" in result["batches"][0]["why"]
    assert pushes(refused) == []
    assert len(dead_letters()) == 3


def test_whose_dead_letters_stay_is_said_and_holds_up_no_others(
    refused: SandboxPlatform, cast: Cast, deliver_all: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One owner's agreement is suspended: another's dead letters go, in this batch and later."""
    monkeypatch.setattr(delivery_redrive, "_BATCH", 2)
    cast.agree(("NL-CPB", "DE-MSA"))
    with refused.answer("/locations/", misbehaviour.refuse(2001)):
        for number in (4, 5, 6):
            push(cast["P1"], a_location(CPB, number))
        deliver_all()
    Agreement.objects.filter(cpo__key="NL-CPA").update(state="SUSPENDED")

    result = run_json("redrive", "--all", code=1)

    assert (result["delivered"], result["left"]) == (3, 3)
    assert dead_letters() == [f"NL/CPA/L{n}" for n in (1, 2, 3)]
    whys = [each["why"] for each in result["batches"]]
    owner = "the receiver may no longer have anything of NL-CPA"
    assert whys == [owner, owner, ""]


def test_who_backs_off_is_left_alone(refused: SandboxPlatform) -> None:
    """Its backlog waits too: nothing is sent before it."""
    Platform.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=1))

    result = run_json("redrive", "--all", code=1)

    assert (result["left"], pushes(refused)) == (3, [])
    assert "backs off until" in result["batches"][0]["why"]


def test_nothing_is_sent_beside_a_worker(
    refused: SandboxPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the worker sends may be newer: the dead letters wait for its lease."""
    monkeypatch.setattr(delivery_redrive, "_PATIENCE_SECONDS", 0)
    Subscription.objects.update(lease_until="2099-01-01T00:00:00Z")

    [result] = redrive(list(DeadLetter.objects.values_list("pk", flat=True)))

    assert (result.left, pushes(refused)) == (3, [])
    assert "try again" in result.why


def test_what_is_gone_is_not_sent_again(cast: Cast, deliver_all: Deliver) -> None:
    """A Tariff that was deleted meanwhile does not come back; its dead letter is moot."""
    tariffs = Trade(TARIFFS, cast).agree(0)
    with tariffs.reader().answer("PUT /tariffs/", misbehaviour.refuse(2001)):
        tariffs.push_new(TARIFFS.make(1))
        deliver_all()
    tariffs.send("DELETE", "X1")

    result = command("redrive", "--all")

    assert (result["moot"], result["left"], tariffs.pushes()[1:]) == (1, 0, [])


def test_dead_letters_can_be_discarded(refused: SandboxPlatform) -> None:
    """Nothing is sent of them."""
    assert command("discard", "dead_letters", "--all") == {"discarded": 3}
    assert (dead_letters(), pushes(refused)) == ([], [])


def test_dead_letters_are_listed_without_what_identifies_a_driver(
    refused: SandboxPlatform, cast: Cast, deliver_all: Deliver
) -> None:
    """Chosen by receiver and module; a token's uid is masked."""
    listed: list[dict[str, Any]] = command("dead_letters", "--party", "de-msa")
    assert sorted(each["path"] for each in listed) == [f"NL/CPA/L{n}" for n in (1, 2, 3)]
    assert {each["reason"] for each in listed} == {"HTTP 200, status 2001: not now"}
    assert command("dead_letters", "--module", "tokens") == []
    assert "3 dead letters" in run("dead_letters")
    assert "say which" in fails("redrive")
    assert "say which" in fails("discard", "dead_letters")


@pytest.mark.parametrize("name", ["dead_letters", "redrive"])
def test_a_module_that_is_none_is_refused(name: str) -> None:
    """The modules there are stand in the sentence."""
    with pytest.raises(CommandError, match=r"choose from .*locations"):
        run(name, "--module", "typo")
