"""`manage.py pull` and `pulls`: the operator's way to read a list, and to see how it stands."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ocpi.types import PartyRef
from operators.models import Change
from sandbox import SandboxPlatform
from sandbox.misbehaviour import html, reply
from tests.cast import CPA, Cast, a_location, command
from tests.hub.pull.workers import asked, offer
from tests.hub.second_hub import XXX, second_hub


@pytest.fixture
def cpo(cast: Cast) -> SandboxPlatform:
    """P1 with three locations in pages of one."""
    platform = cast.join("P1", page_limit=1)
    offer(platform, "locations", *(a_location(CPA, number) for number in (1, 2, 3)))
    platform.forget()
    return platform


def test_a_party_is_read_with_progress(cpo: SandboxPlatform) -> None:
    """A line for each page, and one for each list at the end."""
    out, err = StringIO(), StringIO()
    call_command("pull", "NL-CPA", "--module", "locations", stdout=out, stderr=err)

    assert out.getvalue() == "NL-CPA locations: IDLE, 3 of 3 objects, 3 pages: 3 stored\n"
    assert "FULL, 1 of 3 objects, 1 pages: 1 stored" in err.getvalue()
    assert len(asked(cpo)) == 3


def test_everything_again_as_json(cpo: SandboxPlatform) -> None:
    """Without --module all lists; with --full everything, not only what changed: on record both."""
    command("pull", "NL-CPA")
    cpo.forget()
    assert Change.objects.get(kind="hub.PullState").action == "read changes"

    found = command("pull", "nl-cpa", "--full")

    assert [each["module"] for each in found] == ["tariffs", "locations", "sessions", "cdrs"]
    assert (found[1]["unchanged"], found[1]["stored"]) == (3, 0)
    assert "date_from" not in asked(cpo)[0].query
    assert found[1]["last_full_at"] == found[1]["started_at"]
    change = Change.objects.get(kind="hub.PullState", action="read everything")
    assert (change.action, change.subject) == ("read everything", "4 lists")
    assert change.before is not None
    assert "NL-CPA locations" in change.before["of"]


def test_what_went_wrong_is_told(cpo: SandboxPlatform) -> None:
    """In the line of the list and by the exit code; a party without lists is an error."""
    out = StringIO()
    with cpo.answer("GET /sender/locations", html(502)), pytest.raises(SystemExit, match="1"):
        call_command("pull", "NL-CPA", "--module", "locations", "--json", stdout=out)
    assert "failed with HTTP 502" in json.loads(out.getvalue())[0]["last_error"]
    with pytest.raises(CommandError, match="NL-XXX is not a party"):
        call_command("pull", "NL-XXX")
    with pytest.raises(CommandError, match="offers no list of tokens"):
        call_command("pull", "NL-CPA", "--module", "tokens")


def test_all_lists_are_shown(cpo: SandboxPlatform) -> None:
    """By party, in the order in which they are read."""
    found = command("pulls")
    assert [(each["party"], each["module"]) for each in found][:2] == [
        ("NL-CPA", "tariffs"),
        ("NL-CPA", "locations"),
    ]
    out = StringIO()
    call_command("pulls", stdout=out)
    assert out.getvalue().startswith("NL-CPA tariffs: IDLE, 0 objects, 0 pages (next: ")


def test_the_quarantine_is_told_with_hints(cpo: SandboxPlatform) -> None:
    """What is wrong with which object, and what would help."""
    out = StringIO()
    call_command("quarantine", stdout=out)
    assert out.getvalue() == "Nothing is in quarantine.\n"
    with cpo.answer("GET /sender/locations", reply([{**a_location(CPA, 1), "city": None}])):
        command("pull", "NL-CPA", "--module", "locations")

    out = StringIO()
    call_command("quarantine", "--party", "nl-cpa", stdout=out)

    first, second = out.getvalue().splitlines()
    assert first.split("  ")[-1].startswith("NL-CPA locations L1: city")
    assert second.strip()
    assert command("quarantine", "--module", "tariffs") == []
    with pytest.raises(CommandError, match="invalid choice: 'typo'"):
        call_command("quarantine", "--module", "typo")


@pytest.mark.parametrize("party", ["FR-XXX", "FR-ZZZ"])
def test_a_party_behind_a_hub_is_read_from_the_hubs_list(cast: Cast, party: str) -> None:
    """Whether the hub has named it or it came with a list; others of the hub's are told apart."""
    ref = PartyRef.parse(party)
    with second_hub(cast) as hub:
        offer(hub, "locations", a_location(ref, 1), {**a_location(ref, 2), "city": None})
        offer(hub, "locations", {**a_location(XXX, 3), "city": None})
        command("pull", "NL-HB2", "--module", "locations")
        hub.forget()

        [done] = command("pull", party, "--module", "locations", "--full")

        assert (done["party"], done["seen"], done["quarantined"]) == ("NL-HB2", 3, 2)
        assert len(asked(hub)) == 1
        found = command("quarantine", "--party", party)
        assert ("L2", party, "NL-HB2") in [(e["id"], e["owner"], e["party"]) for e in found]
        assert {each["owner"] for each in found} == {party}
