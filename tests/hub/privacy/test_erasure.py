"""A driver erased: nothing of one is left in any table, and everybody else's data is as it was."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError

from hub.models import Cdr, Change, Exchange, Session, Token
from hub.privacy.drivers import Driver
from ocpi.v2_2_1 import cdrs
from ocpi.validation import validate
from operators.models import Change as Audited
from sandbox import misbehaviour, object_path
from tests.cast import CPA, HUB, MSA, Cast, command
from tests.hub.message_log.conftest import Logged, logged
from tests.hub.privacy.driver_everywhere import (
    CDR,
    CONTRACT,
    NAMES,
    NUMBER,
    SESSION,
    TOKEN,
    UID,
    found_in,
    plant,
)
from tests.ocpi.objects import a_cdr, a_session, a_token
from tests.parties.commands import run

__all__ = ["logged"]
Deliver = Callable[[], int]
pytestmark = pytest.mark.security("S-25")
ERASE = ("erase_driver", "--uid", UID, "--reason", "ticket 7", "--yes")


def test_nothing_of_an_erased_driver_is_left_anywhere(
    cast: Cast, deliver_all: Deliver, logged: Logged
) -> None:
    """No text, JSON or bytes of any table has the uid, the contract id or the card's number."""
    plant(cast, deliver_all)
    logged()
    assert len(found_in(*NAMES)) > 25

    done = command(*ERASE)

    logged()
    assert found_in(*NAMES) == []
    assert done["complete"]
    assert done["sent_to"] == ["DE-MSA", "NL-CPA"]
    assert {"tokens", "sessions", "CDRs", "changes of the feed", "dead letters"} <= set(
        done["counts"]
    )
    assert not Token.objects.exists()
    assert command(*ERASE)["counts"] == {}


def test_what_is_exported_names_the_driver_in_every_kind_of_place(
    cast: Cast, deliver_all: Deliver, logged: Logged
) -> None:
    """One JSON document with what an erasure would find, masked nowhere."""
    plant(cast, deliver_all)
    logged()
    found = command("erase_driver", "--contract", CONTRACT, "--dry-run")["counts"]

    taken = json.loads(run("export_driver", "--contract", CONTRACT, "--reason", "ticket 8"))

    assert taken["driver"]["uids"] == [UID]
    assert taken["driver"]["visual_numbers"] == [NUMBER]
    assert set(found) <= set(taken["data"]) | {"messages of the log"}
    for kind, items in taken["data"].items():
        text = json.dumps(items).upper()
        assert kind == "messages of the log" or any(name.upper() in text for name in NAMES), kind
    assert taken["data"]["tokens"][0]["object"] == TOKEN | {"issuer": "X"}
    assert taken["data"]["CDRs"][0]["object"] == CDR
    assert Audited.objects.filter(action="took a driver's data away").count() == 1


def test_a_dry_run_changes_nothing(cast: Cast, deliver_all: Deliver) -> None:
    """It counts by kind, and asks for no reason."""
    plant(cast, deliver_all)
    before = found_in(*NAMES)
    counts = command("erase_driver", "--uid", UID, "--dry-run")["counts"]
    assert (counts["sessions"], counts["CDRs"], counts["tokens"]) == (1, 1, 3)
    assert found_in(*NAMES) == before
    with pytest.raises(SystemExit):
        command("erase_driver", "--uid", UID, "--reason", "x")
    with pytest.raises(SystemExit):
        command("erase_driver", "--uid", UID, "--yes")


def test_what_is_left_is_valid_and_bills_the_same(cast: Cast, deliver_all: Deliver) -> None:
    """Each byte that is not the driver's stays; the hub serves it, and owners may repeat it."""
    plant(cast, deliver_all)
    command(*ERASE)

    row = Cdr.objects.get()
    kept = json.loads(row.text)
    validate(cdrs.CDR, kept)
    assert kept["cdr_token"] == CDR["cdr_token"] | {"uid": "ERASED", "contract_id": "ERASED"}
    assert "signed_data" not in kept  # it names the token in an encoding of its own
    gone = {"cdr_token", "remark", "signed_data"}
    assert {k: v for k, v in kept.items() if k not in gone} == {
        k: v for k, v in CDR.items() if k not in gone
    }
    again = cast["P1"].hub.post("cdrs", "RECEIVER", body=CDR, to=HUB, sender=CPA)
    assert (again.http_status, again.status_code) == (200, 1000)
    listed = cast["P2"].hub.list("cdrs", {}, to=HUB, sender=MSA)
    assert [each["cdr_token"]["uid"] for each in listed.pages[0].data] == ["ERASED"]


def test_a_session_its_owner_repeats_stays_anonymous(cast: Cast, deliver_all: Deliver) -> None:
    """The same PUT changes nothing, a newer one is what its owner says now."""
    cpo = cast["P1"]
    cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    head: Any = {"to": HUB, "sender": CPA}
    cpo.hub.put("sessions", "RECEIVER", object_path(CPA, "S1"), SESSION, **head)
    deliver_all()
    command(*ERASE)
    cpo.hub.put("sessions", "RECEIVER", object_path(CPA, "S1"), SESSION, **head)
    assert "sessions" not in command("erase_driver", "--uid", UID, "--dry-run")["counts"]
    newer = SESSION | {"last_updated": "2026-11-21T07:00:00Z"}
    cpo.hub.put("sessions", "RECEIVER", object_path(CPA, "S1"), newer, **head)
    assert command("erase_driver", "--uid", UID, "--dry-run")["counts"]["sessions"] == 1


def test_what_waits_for_delivery_goes_out_in_order_without_the_driver(
    cast: Cast, deliver_all: Deliver
) -> None:
    """Positions stay: each message about a session and its CDR arrives, and says nobody's name."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    head: Any = {"to": HUB, "sender": CPA}
    path = object_path(CPA, "S1")
    cpo.hub.put("sessions", "RECEIVER", path, SESSION, **head)
    cpo.hub.put("sessions", "RECEIVER", path, SESSION | {"kwh": 17}, **head)
    cpo.hub.post("cdrs", "RECEIVER", body=CDR, **head)
    places = list(Change.objects.order_by("seq").values_list("transaction", "seq"))

    command(*ERASE)
    assert list(Change.objects.order_by("seq").values_list("transaction", "seq")) == places
    deliver_all()

    seen = [each for each in emsp.seen if each.method in {"PUT", "POST"} and "S1" in each.path]
    assert [each.json["kwh"] for each in seen] == [15.342, 17]
    assert {each.json["cdr_token"]["uid"] for each in seen} == {"ERASED"}
    assert deliver_all() == 0


def test_others_keep_what_is_theirs(cast: Cast, deliver_all: Deliver) -> None:
    """Of two eMSPs whose cards have one uid, the party that is named loses its driver alone."""
    cpo = cast["P1"]
    for name, party, contract in (("P2", MSA, "C-MSA-1"), ("P3", "MSB", "C-MSB-1")):
        country = "DE" if party is MSA else "FR"
        cast[name].hub.put(
            "tokens",
            "RECEIVER",
            f"{country}/{'MSA' if party is MSA else 'MSB'}/{UID}",
            a_token(
                uid=UID,
                contract_id=contract,
                country_code=country,
                party_id="MSA" if party is MSA else "MSB",
            ),
            to=HUB,
        )
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    other = a_session(id="S2")
    other["cdr_token"] |= {"uid": UID, "contract_id": "C-MSB-1", "country_code": "FR"}
    other["cdr_token"]["party_id"] = "MSB"
    for value in (SESSION, other):
        path = object_path(CPA, value["id"])
        sent = cpo.hub.put("sessions", "RECEIVER", path, value, to=HUB, sender=CPA)
        assert sent.status_code == 1000
    deliver_all()

    done = command(*ERASE, "--party", "DE-MSA")

    assert (done["counts"]["tokens"], done["counts"]["sessions"]) == (1, 1)
    assert Token.objects.get().owner == "FR-MSB"
    assert json.loads(Session.objects.get(object_id="S2").text) == other
    bodies = Change.objects.filter(module="sessions", audience="FR-MSB").values_list("body")
    assert [json.loads(body or "") for (body,) in bodies] == [other]


def test_ids_that_are_like_the_drivers_by_chance_stay(cast: Cast) -> None:
    """An EVSE, a connector or a location of the same name is no driver's."""
    cpo = cast["P1"]
    cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    uid = "32560001"
    value = a_session(evse_uid=uid, location_id=uid)
    value["cdr_token"] |= {"uid": uid}
    cpo.hub.put("sessions", "RECEIVER", object_path(CPA, "S1"), value, to=HUB, sender=CPA)
    command("erase_driver", "--uid", uid, "--reason", "x", "--yes")
    kept = json.loads(Session.objects.get().text)
    assert (kept["evse_uid"], kept["location_id"]) == (uid, uid)
    assert kept["cdr_token"]["uid"] == "ERASED"


@pytest.mark.django_db
def test_an_id_of_many_is_no_driver(caplog: pytest.LogCaptureFixture) -> None:
    """A contract id that stands on hundreds of tokens names nobody: the tokens have to be named."""
    rows = [
        Token(
            owner="DE-MSA",
            object_id=f"CARD{n:04}",
            object_key=f"CARD{n:04}",
            contract_id="FLEET-1",
            version="2.2.1",
            text="{}",
            last_updated="2026-11-21T05:32:00Z",
            last_updated_text='"2026-11-21T05:32:00Z"',
        )
        for n in range(150)
    ]
    Token.objects.bulk_create(rows)
    with pytest.raises(CommandError, match="no one driver"):
        run("erase_driver", "--uid", "CARD0001", "--dry-run")
    words = ("--uid", "CARD0001", "--by-uid", "--reason", "x", "--yes")
    assert command("erase_driver", *words)["counts"] == {"tokens": 1}
    assert Token.objects.count() == 149


@pytest.mark.django_db
def test_a_column_that_is_full_is_no_obstacle() -> None:
    """The word for an erased id may be longer than the id."""
    Audited.objects.create(who="olga", action="changed", subject=f"{'x ' * 97}B7C9 1")
    command("erase_driver", "--uid", "B7C9", "--reason", "x", "--yes")
    assert not Audited.objects.filter(subject__contains="B7C9").exists()
    assert Audited.objects.filter(subject__startswith="x x").exists()


@pytest.mark.django_db
def test_an_erasure_is_audited_without_naming_whom() -> None:
    """Why, by whom and how much of each kind; of the driver the end of the uid."""
    command("erase_driver", "--uid", UID, "--reason", f"wishes of {UID}", "--yes")
    row = Audited.objects.get()
    assert (row.action, row.subject) == ("erased a driver", f"driver …{UID[-4:]}")
    assert row.after == {"reason": "wishes of ERASED", "erased": {}}
    with pytest.raises(CommandError, match="reason"):
        run("erase_driver", "--uid", UID, "--yes")
    with pytest.raises(ValueError, match="name the driver"):
        Driver.named([""], ["#NA"])


@pytest.mark.django_db
def test_what_is_written_meanwhile_is_found_by_the_next_pass() -> None:
    """A token that comes while others are erased is gone too at the end."""
    from hub.privacy import erasure  # noqa: PLC0415

    values = {"owner": "DE-MSA", "version": "2.2.1", "text": "{}", "last_updated_text": ""}
    values["last_updated"] = "2026-11-21T05:32:00Z"
    late = [Token(object_id=UID, object_key=UID, **values)]

    def tell(share: float, _: object) -> None:
        assert 0 <= share <= 1
        if share > 0.85 and late:
            late.pop().save()

    Token.objects.create(object_id=UID, object_key=UID, audience="NL-CPA", **values)
    done = erasure.erase(Driver.named([UID]), reason="x", report=tell)
    assert (done.complete, done.counts["tokens"], Token.objects.count()) == (True, 2, 0)


def test_the_log_of_the_processes_names_nobody(
    cast: Cast, deliver_all: Deliver, logged: Logged, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a receiver says of a driver, and however it fails: it goes to standard output."""
    caplog.set_level("DEBUG")
    plant(cast, deliver_all)
    cpo, emsp = cast["P1"], cast["P2"]
    newer = TOKEN | {"last_updated": "2026-11-22T06:32:00Z"}
    broken = [misbehaviour.say(500, f"no card {UID}".encode()), misbehaviour.refuse(3000, CONTRACT)]
    for place, answer in enumerate(broken):
        with cpo.answer("PUT", answer):
            value = newer | {"issuer": str(place)}
            emsp.hub.put("tokens", "RECEIVER", object_path(MSA, UID), value, to=HUB, sender=MSA)
            deliver_all()
        with emsp.answer("POST", answer):
            cpo.hub.post("tokens", "SENDER", f"{UID}/authorize", None, to=MSA, sender=CPA)
            cpo.hub.post("cdrs", "RECEIVER", body=CDR | {"id": f"C8{place}"}, to=MSA, sender=CPA)
    logged()
    command(*ERASE)
    ours = [each for each in caplog.records if not each.name.startswith(("urllib3", "sandbox"))]
    said = [each.getMessage() for each in ours]
    assert [each for each in said if any(name.upper() in each.upper() for name in NAMES)] == []


def test_the_log_keeps_not_even_the_end_of_a_uid(
    cast: Cast, deliver_all: Deliver, logged: Logged
) -> None:
    """What masking left of the driver goes too; messages of others stay as they are."""
    plant(cast, deliver_all)
    other = a_cdr(id="C9")
    other["cdr_token"] |= {"uid": "OTHER-9999-1111"}
    cast["P1"].hub.post("cdrs", "RECEIVER", body=other, to=HUB, sender=CPA)
    before = {row.pk for row in logged()}
    assert found_in(f"…{UID[-4:]}") != []
    command(*ERASE)
    assert before <= {row.pk for row in logged()}
    assert not Exchange.objects.filter(object_key__iendswith=UID[-4:]).exists()
    assert [each for each in found_in(f"…{UID[-4:]}") if each.startswith("hub_exchange")] == []
    assert found_in("…1111") != []
