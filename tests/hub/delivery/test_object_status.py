"""Where an object is: each outcome, derived from what is on record."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hub.delivery import feed_retention, subscriptions
from hub.models import Change
from parties.models import Agreement, Endpoint, Platform
from sandbox import misbehaviour
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, MSA, Cast, a_location, command
from tests.hub.delivery import sessions_and_cdrs
from tests.hub.exchange import TOKENS, Trade
from tests.hub.location_owner import T2, T3, Owner
from tests.parties.commands import fails, run

Deliver = Callable[[], int]


def where(*words: str, party: str = "DE-MSA") -> dict[str, Any]:
    """Ask where something is, and return how one party stands to it."""
    [found] = command("where", *words)
    [line] = [each for each in found["parties"] if each["party"].startswith(party)]
    return {**line, "newest": found["revision"], "last_updated": found["last_updated"]}


def location(party: str = "DE-MSA") -> dict[str, Any]:
    """Ask where L1 is."""
    return where("LOCATION", "NL", "CPA", "L1", party=party)


@pytest.fixture
def known(owner: Owner, emsp: SandboxPlatform, deliver_all: Deliver) -> Owner:
    """NL-CPA, whose L1 is delivered."""
    owner.put("L1", body=a_location(CPA, 1))
    deliver_all()
    return owner


def test_what_arrived_is_delivered_since_then(known: Owner) -> None:
    """With its revision; nobody is behind."""
    found = location()

    assert (found["outcome"], found["revision"], found["newest"]) == ("delivered", 1, 1)
    assert (found["behind"], found["platform"]) == (0, "P2")
    since = timezone.datetime.fromisoformat(found["since"])  # type: ignore[attr-defined]
    assert timezone.now() - since < timedelta(seconds=30)
    assert "DE-MSA (EMSP): delivered; has revision 1 since" in run(
        "where", "LOCATION", "nl", "cpa", "l1"
    )


def test_who_is_behind_and_by_how_much(known: Owner, deliver_all: Deliver) -> None:
    """It still has the version before, and how long the next one waits is known."""
    known.patch("L1", "E1", body={"x": 1, "last_updated": T2})
    known.patch("L1", "E2", body={"x": 2, "last_updated": T3})

    found = location()
    assert (found["outcome"], found["revision"], found["newest"]) == ("waiting", 1, 3)
    assert (found["behind"], found["behind_since"] is not None) == (2, True)
    part = where("EVSE", "NL", "CPA", "L1", "e1")
    assert (part["outcome"], part["newest"], part["behind"]) == ("waiting", 2, 1)

    deliver_all()
    assert (location()["outcome"], location()["revision"]) == ("delivered", 3)
    assert where("EVSE", "NL", "CPA", "L1", "E1")["revision"] == 2


def test_a_refusal_is_told_with_its_reason(
    known: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Of the part it concerns, and of the object; the other part is delivered."""
    with emsp.answer("/L1", misbehaviour.refuse(2001, "no such plug")):
        known.patch("L1", "E1", body={"x": 1, "last_updated": T2})
        deliver_all()

    found = location()
    assert (found["outcome"], found["revision"]) == ("rejected", 1)
    assert "no such plug" in found["why"]
    known.put("L1", body=known.get("L1") | {"name": "new", "last_updated": T3})
    deliver_all()
    assert location()["outcome"] == "delivered"


def test_a_missing_answer_may_be_a_delivery(
    known: Owner, emsp: SandboxPlatform, deliver_all: Deliver
) -> None:
    """Until the repetition is answered."""
    rule = emsp.answer("PUT", misbehaviour.swallow(60))
    known.put("L1", body=a_location(CPA, 1, name="swallowed"))
    deliver_all()

    found = location()
    assert (found["outcome"], found["revision"], found["behind"]) == ("maybe delivered", 1, 1)
    rule.cancel()
    Platform.objects.update(next_attempt_at=None)
    deliver_all()
    assert (location()["outcome"], location()["why"]) == ("delivered", "")


def test_why_nothing_can_be_sent(known: Owner) -> None:
    """No agreement, no endpoint, not connected: the first reason there is."""
    known.put("L1", body=a_location(CPA, 1, name="newer"))
    Platform.objects.filter(name="P2").update(status="OFFLINE", last_error="no route")
    assert (location()["outcome"], "no route" in location()["why"]) == ("not connected", True)

    Endpoint.objects.filter(platform__name="P2", role="RECEIVER").delete()
    assert location()["outcome"] == "no endpoint"

    Platform.objects.filter(name="P2").update(status="PLANNED", version="")
    assert location()["outcome"] == "not connected"

    Agreement.objects.update(state="SUSPENDED")
    assert (location()["outcome"], location()["why"]) == (
        "no agreement",
        "the agreement NL-CPA - DE-MSA is SUSPENDED",
    )


def test_who_has_no_agreement_is_named(known: Owner, cast: Cast) -> None:
    """With the sentence that explain says."""
    assert cast["P3"]

    found = location("FR-MSB")

    assert found["outcome"] == "no agreement"
    assert found["why"] == "there is no agreement between NL-CPA and FR-MSB"


def test_a_snapshot_on_its_way_is_told(known: Owner, cast: Cast, deliver_all: Deliver) -> None:
    """What is on no list yet waits for it."""
    assert cast["P3"]
    cast.agree(("NL-CPA", "FR-MSB"))
    assert location("FR-MSB")["why"] == "it is about to be subscribed"
    subscriptions.reconcile()
    found = location("FR-MSB")
    assert (found["outcome"], found["why"]) == ("waiting", "its snapshot is on the way")

    deliver_all()
    assert location("FR-MSB")["outcome"] == "delivered"


def test_a_snapshot_behind_the_feed_is_told(known: Owner, deliver_all: Deliver) -> None:
    """What it took before is not the newest: that comes with the snapshot, nothing else is due."""
    known.patch("L1", "E1", body={"x": 1, "last_updated": T2})
    Change.objects.update(created_at=timezone.now() - timedelta(days=15))
    assert feed_retention.prune() == (2, 1)

    found = location()
    assert (found["outcome"], found["why"]) == ("waiting", "its snapshot is on the way")
    assert (found["revision"], found["newest"], found["behind"]) == (1, 2, 0)

    deliver_all()
    assert (location()["outcome"], location()["revision"]) == ("delivered", 2)


def test_what_was_pushed_to_a_party_itself_is_told(known: Owner) -> None:
    """As a copy of its own."""
    known.send("PUT", "L1", body=a_location(CPA, 1, name="for one"), to=MSA)

    everybodys, own = command("where", "LOCATION", "NL", "CPA", "L1")

    assert (everybodys["audience"], own["audience"]) == ("", "DE-MSA")
    assert [each["why"] for each in own["parties"]] == ["its owner pushed it there itself"]


def test_a_cdr_has_one_receiver_and_may_expire(cast: Cast, deliver_all: Deliver) -> None:
    """The owner of its token; waiting, then expired, then given up."""
    trade = sessions_and_cdrs.cdrs(cast)
    rule = trade.reader().answer("/cdrs", misbehaviour.refuse(3000))
    trade.push_new(trade.kind.make(1))
    deliver_all()
    cdr = ("CDR", "NL", "CPA", "X1")
    assert (where(*cdr)["outcome"], where(*cdr)["behind"]) == ("maybe delivered", 1)

    sessions_and_cdrs.grow_old(trade, 8)
    rule.cancel()
    sessions_and_cdrs.retry_now()
    deliver_all()
    assert where(*cdr)["outcome"] == "expired"
    [found] = command("where", *cdr)
    assert [each["party"] for each in found["parties"]] == ["DE-MSA (EMSP)"]


def test_a_session_out_of_order_counts_what_is_missing(cast: Cast, deliver_all: Deliver) -> None:
    """Behind what failed nothing of the same Session is sent."""
    trade = sessions_and_cdrs.sessions(cast)
    sessions_and_cdrs.put(trade)
    deliver_all()
    with trade.reader().answer("PATCH", misbehaviour.reset()):
        sessions_and_cdrs.patch(trade, 1)
        sessions_and_cdrs.patch(trade, 2)
        deliver_all()
    assert where("SESSION", "NL", "CPA", "X1")["behind"] == 2

    sessions_and_cdrs.retry_now()
    deliver_all()
    found = where("SESSION", "NL", "CPA", "X1")
    assert (found["outcome"], found["revision"], found["behind"]) == ("delivered", 3, 0)


def test_a_tokens_uid_is_masked(cast: Cast, deliver_all: Deliver) -> None:
    """Only its end is shown, also of one that is not there."""
    trade = Trade(TOKENS, cast).agree(0)
    trade.push_new(TOKENS.make(1, uid="SECRET-UID-1"))
    deliver_all()

    text = run("where", "TOKEN", "DE", "MSA", "SECRET-UID-1")
    assert ("SECRET" in text, "ID-1" in text, "NL-CPA (CPO): delivered" in text) == (
        False,
        True,
        True,
    )
    assert "SECRET" not in fails("where", "TOKEN", "DE", "MSA", "SECRET-UID-2")


def test_what_the_hub_does_not_hold_is_said(transactional_db: None) -> None:
    """In one sentence."""
    assert fails("where", "TARIFF", "NL", "CPA", "T1") == "the hub holds no TARIFF T1 of NL-CPA"
    assert "takes 2 ids" in fails("where", "EVSE", "NL", "CPA", "L1")
