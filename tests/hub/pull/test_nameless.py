"""Objects of lists that do not say what they are: told apart, in the words of a push."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from hub.models import Quarantined
from hub.pull import quarantine
from hub.pull.quarantine import hint
from ocpi.types import PartyRef
from sandbox import SandboxPlatform
from sandbox.misbehaviour import reply
from tests.cast import CPA, Cast, a_location, command
from tests.hub.location_owner import Owner
from tests.hub.pull.workers import offer, read

Json = dict[str, Any]
BEHIND = PartyRef("DE", "BHD")


def numbered(number: int, **changes: Any) -> Json:
    """Return a Location whose id is a number."""
    return {**a_location(CPA, number), "id": number, **changes}


def without_id(number: int, **changes: Any) -> Json:
    """Return a Location that lacks its id."""
    return {key: value for key, value in numbered(number, **changes).items() if key != "id"}


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1, a CPO."""
    return cast["P1"]


def pulled(cpo: SandboxPlatform, *objects: object) -> list[Quarantined]:
    """Return what is in quarantine when these are the list."""
    with cpo.answer("GET /sender/locations", reply(list(objects))):
        read(full=True)
    return list(Quarantined.objects.order_by("pk"))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 7},
        {"id": None},
        {"id": ""},
        {"id": 7, "coordinates": "x", "city": None, "last_updated": "today"},
        {"id": True, "evses": "none"},
        {"id": ["L1"], "name": 7},
    ],
)
def test_a_list_is_told_what_a_push_is_told(cpo: SandboxPlatform, changes: Json) -> None:
    """Every finding, in the same words; none of them hides behind a broken id."""
    value = {**a_location(CPA, 1), **changes}
    [kept] = pulled(cpo, value)

    pushed = json.loads(Owner(cpo).put("L1", body=value).body)["status_message"]

    for finding in kept.findings.splitlines():
        assert finding in str(pushed)
    assert len(kept.findings.splitlines()) == len(changes)
    assert kept.findings.startswith("id: ")


def test_each_has_the_hint_of_its_own_fault(cpo: SandboxPlatform) -> None:
    """A number is no missing id."""
    number, missing = pulled(cpo, numbered(1), without_id(2))

    assert "another type" in hint(number.fault)
    assert "mandatory" in hint(missing.fault)


def test_ids_that_are_numbers_are_shown(cpo: SandboxPlatform) -> None:
    """Nobody has to guess which of a thousand it was."""
    found = pulled(cpo, *(numbered(each) for each in (249, 250, 251)))

    assert [each.object_id for each in found] == ["249", "250", "251"]


def test_what_has_no_id_is_shown_by_its_place_and_its_name(cpo: SandboxPlatform) -> None:
    """Or by how it begins; the good one between them counts as well."""
    found = pulled(
        cpo,
        without_id(1, name="At the  church"),
        a_location(CPA, 2),
        without_id(3, name=None, address="Church street 3"),
        ["no", "object"],
        7,
    )

    assert [each.object_id for each in found] == [
        "#1 At the  church",
        "#3 Church street 3",
        '#4 ["no", "object"]',
        "#5 7",
    ]


def test_a_place_is_that_in_the_list_and_not_in_its_page(cast: Cast) -> None:
    """The second page goes on where the first one ended."""
    cpo = cast.join("P1", page_limit=2)
    offer(cpo, "locations", *(a_location(CPA, number) for number in (1, 2, 3)))
    store = cpo.own["locations"]
    store["NL", "CPA", "L4"] = json.dumps(without_id(4, name="Last"))

    read()

    [kept] = Quarantined.objects.all()
    assert kept.object_id == "#4 Last"


@pytest.mark.security("S-04")
@pytest.mark.parametrize("name", ["id", "name", "country_code"])
def test_what_names_nothing_costs_nothing(cpo: SandboxPlatform, name: str) -> None:
    """A member that is huge, nested or no text is no name."""
    [kept] = pulled(cpo, {**without_id(1), name: [["x" * 10_000]]})

    assert kept.object_id.startswith("#1")
    assert len(kept.object_id) < 100


def test_drivers_tokens_without_uid_are_shown_by_their_place_alone(cast: Cast) -> None:
    """What they are called or begin with may name a driver."""
    emsp = cast["P2"]
    token = {"country_code": "DE", "party_id": "MSA", "contract_id": "DE-MSA-C12345678-X"}
    with emsp.answer("GET /sender/tokens", reply([token, {**token, "uid": 0x12345678}])):
        read("tokens", PartyRef("DE", "MSA"))

    first, second = command("quarantine", "--module", "tokens")[::-1]

    assert first["id"] == "#1"
    assert str(0x12345678) not in json.dumps(second)
    assert "C12345678" not in json.dumps([first, second])


def test_all_of_a_quarantine_is_listed(cpo: SandboxPlatform) -> None:
    """Also of a thousand and more; of what is not kept the command says how many there are."""
    pulled(cpo, *(numbered(each) for each in range(1, quarantine.MOST + 58)))
    out, err = StringIO(), StringIO()

    call_command("quarantine", "--json", stdout=out, stderr=err)

    assert len(json.loads(out.getvalue())) == quarantine.MOST
    assert "locations of NL-CPA has 57 more" in err.getvalue()


def test_several_lists_are_listed_whole(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each list has its own bound; together they have none."""
    monkeypatch.setattr(quarantine, "MOST", 3)
    platform = cast["P1"]
    for party in (CPA, PartyRef("NL", "CPB")):
        values = [{**a_location(party, each), "id": each} for each in range(1, 4)]
        with platform.answer("GET /sender/locations", reply(values)):
            read(party=party)
    err = StringIO()

    call_command("quarantine", "--json", stdout=StringIO(), stderr=err)

    assert len(command("quarantine")) == 6
    assert err.getvalue() == ""


def test_objects_in_anothers_list_are_found_by_their_owner(cast: Cast) -> None:
    """`--party` is whose list it is, or whose object, also where that cannot be identified."""
    platform = cast["P1"]
    other = PartyRef("NL", "CPB")
    values = [
        {**a_location(other, 1), "city": None},
        {**a_location(other, 2), "id": 2},
        {**a_location(CPA, 3), "city": None},
    ]
    with platform.answer("GET /sender/locations", reply(values)):
        read()

    found = command("quarantine", "--party", "NL-CPB")
    out = StringIO()
    call_command("quarantine", "--party", "nl-cpb", stdout=out)

    assert {(each["owner"], each["party"], each["id"]) for each in found} == {
        ("NL-CPB", "NL-CPA", "L1"),
        ("NL-CPB", "NL-CPA", "2"),
    }
    assert "NL-CPB locations 2 (in the list of NL-CPA): id: must be a string" in out.getvalue()
    assert len(command("quarantine", "--party", "NL-CPA")) == 3
