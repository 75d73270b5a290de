"""A platform forgotten: what is removed and what is kept is said, and nobody inherits anything."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hub.models import (
    Cdr,
    Change,
    DeadLetter,
    KeptCdr,
    Location,
    Receipt,
    Session,
    Snapshot,
    Token,
)
from hub.module_policy import POLICIES
from hub.privacy import departure
from parties.holders import ref_of
from parties.models import Platform
from sandbox import SandboxPlatform, object_path
from tests.cast import CPA, HUB, MSA, Cast, a_location, command, push
from tests.hub.privacy.driver_everywhere import CDR, NAMES, SESSION, TOKEN, UID, found_in, plant
from tests.hub.pull.workers import offer, read
from tests.ocpi.objects import a_tariff, a_token

Deliver = Callable[[], int]
pytestmark = pytest.mark.security("S-25")
KEPT = ("object_id", "object_key", "version", "text", "last_updated", "last_updated_text")
MODULES: list[str] = list(POLICIES)


def listed(platform: SandboxPlatform, party: Any) -> dict[str, list[Any]]:
    """Return what a platform reads of each module, in its party's name."""
    found = {}
    for module in MODULES:
        pages = platform.hub.list(module, {}, to=HUB, sender=party).pages
        found[module] = [each for page in pages for each in page.data or []]
    return found


def everything(cast: Cast, deliver_all: Deliver) -> None:
    """Let a CPO and an eMSP trade."""
    plant(cast, deliver_all)
    cpo = cast["P1"]
    push(cpo, a_location(CPA, 1))
    path = object_path(CPA, "T1")
    cpo.hub.put("tariffs", "RECEIVER", path, a_tariff(), to=HUB, sender=CPA)
    deliver_all()


def test_a_successor_of_an_emsp_reads_nothing_of_who_was_there(
    cast: Cast, deliver_all: Deliver
) -> None:
    """Neither lists nor deliveries nor its partner's own list bring a token, session or CDR."""
    everything(cast, deliver_all)
    cpo = cast["P1"]
    offer(cpo, "cdrs", CDR)
    offer(cpo, "sessions", SESSION)
    reference = str(Cdr.objects.get().reference)
    counted = command("forget_platform", "P2", "--dry-run")
    assert counted["forgotten"] is None
    assert Token.objects.count() == 3

    done = command("forget_platform", "P2", "--yes")

    assert done["removed"] == counted["removed"]
    assert done["kept"] == counted["kept"] == {"kept CDRs": 1}
    assert {"tokens", "sessions", "changes of the feed", "receipts"} <= set(done["removed"])
    successor = cast.join("P2")
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    for module in ("sessions", "cdrs"):
        assert read(module, CPA, full=True).passed_over == 1
    deliver_all()
    found = listed(successor, MSA)
    assert [found[module] for module in ("tokens", "sessions", "cdrs")] == [[], [], []]
    assert "L1" in {each["id"] for each in found["locations"]}
    assert successor.hub.get("cdrs", "RECEIVER", reference, to=HUB, sender=MSA).data is None
    personal = [seen for seen in successor.seen if "/locations/" not in seen.path]
    assert not any(UID in (seen.body or b"").decode() for seen in personal)
    assert listed(cpo, CPA)["tokens"] == []


def test_a_successor_of_a_cpo_finds_nothing_of_its_name(cast: Cast, deliver_all: Deliver) -> None:
    """No location, tariff or session of before is served as its own, to it or to others."""
    everything(cast, deliver_all)
    done = command("forget_platform", "P1", "--yes")
    assert {"locations", "tariffs", "sessions"} <= set(done["removed"])
    for noted in (Receipt, DeadLetter, Snapshot):
        assert not noted.objects.filter(owner="NL-CPA").exists()
    successor = cast.join("P1")
    cast.agree(("NL-CPA", "DE-MSA"))
    deliver_all()
    found = listed(cast["P2"], MSA)
    assert [found[module] for module in ("locations", "tariffs", "sessions", "cdrs")] == [[]] * 4
    assert not any(model.objects.exists() for model in (Location, Session, Cdr))
    assert [each["uid"] for each in listed(successor, CPA)["tokens"]] == [UID, UID]
    assert push(successor, a_location(CPA, 1)).http_status == 201
    deliver_all()
    assert [each["id"] for each in listed(cast["P2"], MSA)["locations"]] == ["L1"]
    assert Receipt.objects.filter(owner="NL-CPA", object_key="L1", revision=1).exists()


def test_what_the_law_keeps_names_no_driver(cast: Cast, deliver_all: Deliver) -> None:
    """The amounts of a CDR are there, for operators, and who charged is not."""
    everything(cast, deliver_all)
    command("forget_platform", "P2", "--yes")
    kept = KeptCdr.objects.get()
    value = json.loads(kept.text)
    assert value["total_cost"] == CDR["total_cost"]
    assert (kept.owner, kept.recipient, kept.platform) == ("NL-CPA", "DE-MSA", "P2")
    assert value["cdr_token"]["uid"] == "ERASED"
    assert [each for each in found_in(*NAMES) if each.startswith("hub_keptcdr")] == []


def test_what_is_under_the_same_name_elsewhere_stays(cast: Cast, deliver_all: Deliver) -> None:
    """A company's eMSP at another vendor keeps its tokens when its CPO platform is forgotten."""
    cpo, emsp = cast["TNM as CPO"], cast["TNM as eMSP"]
    token = a_token(country_code="NL", party_id="TNM")
    emsp.hub.put("tokens", "RECEIVER", "NL/TNM/TOKEN-1", token, to=HUB)
    value = a_location(CPA, 1) | {"party_id": "TNM"}
    assert cpo.hub.put("locations", "RECEIVER", "NL/TNM/L1", value, to=HUB).http_status == 201
    command("forget_platform", "TNM as CPO", "--yes")
    assert [str(ref_of(row.owner)) for row in Token.objects.all()] == ["NL-TNM"]
    assert not Location.objects.exists()
    assert set(Change.objects.values_list("module", flat=True)) == {"tokens"}


def test_what_others_send_it_meanwhile_goes_too(cast: Cast, deliver_all: Deliver) -> None:
    """Whatever comes after its kind was removed, until nobody can send it anything any more."""
    everything(cast, deliver_all)
    token = Token.objects.filter(owner="DE-MSA")[0]
    late = [
        Token(owner="FR-MSB", audience="DE-MSA", **{name: getattr(token, name) for name in KEPT})
    ]

    def meanwhile(_: float, counts: Mapping[str, int]) -> None:
        if "callbacks" in counts and late:
            late.pop().save()

    departure.forget_platform(Platform.objects.get(name="P2"), report=meanwhile)
    assert not late
    assert not Token.objects.exists()


def test_it_can_be_begun_again(cast: Cast, deliver_all: Deliver) -> None:
    """A run that broke off left the platform there, without its registration."""
    everything(cast, deliver_all)

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        departure.forget_platform(Platform.objects.get(name="P2"), report=broken)
    assert Platform.objects.get(name="P2").status == "SUSPENDED"
    command("forget_platform", "P2", "--yes")
    assert not Token.objects.filter(owner="DE-MSA").exists()
    assert TOKEN
