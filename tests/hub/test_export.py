"""Lists as files: whole, as narrowed, masked, in flat memory, whoever reads them and how slowly."""

import csv
import json
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console.export import ExportPages
from hub import export
from hub.export import KINDS, FileFormat, file_chunks
from hub.models import Cdr, Evse, Tariff
from hub.module_policy import POLICIES
from operators.groups import Role
from operators.models import Change
from tests.console.test_charged_objects import (
    CONTRACT,
    UID,
    a_cdr,
    a_location,
    a_session,
    a_token,
    stored,
)
from tests.factories import PartyFactory
from tests.operators.staff import console, person
from tests.parties.commands import fails, run

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _parties() -> None:
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(role="EMSP", country_code="DE", party_id="MSA")


@pytest.fixture
def one_of_each() -> None:
    """One object of each kind."""
    a_location()
    stored(Tariff, "NL-CPA", "T1", {"currency": "EUR"}, currency="EUR", type="REGULAR")
    a_token()
    a_session()
    a_cdr()


def url_of(kind: str) -> str:
    """Return where a list is handed out."""
    return reverse(f"admin:hub_{KINDS[kind].model._meta.model_name}_export")


def lines(text: str) -> list[dict[str, str]]:
    """Read a CSV file."""
    return list(csv.DictReader(StringIO(text, newline="")))


def taken(client: Client, kind: str, query: str = "", **form: str) -> str:
    """Take a list away and return the file."""
    answer = client.post(f"{url_of(kind)}?{query}", {"form": "csv", **form})
    assert (answer.status_code, answer.streaming) == (200, True)
    return answer.getvalue().decode()


@pytest.mark.usefixtures("one_of_each")
@pytest.mark.parametrize("kind", KINDS)
def test_every_list_goes_out_from_console_and_command_alike(
    admin_client: Client, kind: str
) -> None:
    """A head line, one line for each row, the same file by both ways, as JSON too."""
    assert admin_client.get(url_of(kind)).status_code == 200

    file = taken(admin_client, kind)

    [row] = lines(file)
    assert tuple(row) == tuple(KINDS[kind].columns)
    assert row["owner"] in {"NL-CPA", "DE-MSA"}
    assert run("export", kind) == file
    [line] = taken(admin_client, kind, form="jsonl").splitlines()
    assert json.loads(line).keys() == row.keys()
    assert run("export", kind, "--json") == f"{line}\n"


@pytest.mark.usefixtures("one_of_each")
@pytest.mark.parametrize("kind", KINDS)
def test_the_command_narrows_every_list_by_party_and_by_time(kind: str) -> None:
    """By who owns or gets its objects, and by the moment that the kind names."""
    [row] = lines(run("export", kind))
    of_owner = ("export", kind, "--party", row["owner"])
    assert lines(run(*of_owner, "--since", "2000-01-01")) == [row]
    assert lines(run(*of_owner, "--until", "2000-01-01")) == []
    assert lines(run("export", kind, "--party", "BE-MIX")) == []


@pytest.mark.usefixtures("one_of_each")
def test_a_list_goes_out_as_it_is_narrowed(admin_client: Client) -> None:
    """By search and by filters; the button of the list hands them on."""
    a_session("S2", status="ACTIVE")

    assert [row["id"] for row in lines(taken(admin_client, "sessions", "status=ACTIVE"))] == ["S2"]
    assert [row["id"] for row in lines(taken(admin_client, "sessions", "q=s1"))] == ["S1"]
    listed = admin_client.get(reverse("admin:hub_session_changelist"), {"status": "ACTIVE"})
    assert f'href="{url_of("sessions")}?status=ACTIVE"' in listed.content.decode()


def test_a_filter_that_makes_no_sense_leads_back_to_the_list(admin_client: Client) -> None:
    """As in the list itself."""
    answer = admin_client.get(f"{url_of('sessions')}?started_at__gte=x")
    assert answer.status_code == 302


@pytest.mark.usefixtures("one_of_each")
def test_who_charged_is_masked_unless_a_reason_is_given(admin_client: Client) -> None:
    """The reason stands in the audit, with what was taken; what was sought is masked there too."""
    for kind in ("sessions", "cdrs", "tokens"):
        assert UID.upper() not in taken(admin_client, kind).upper()
        assert "…" in taken(admin_client, kind)
    assert CONTRACT not in taken(admin_client, "tokens")

    file = taken(admin_client, "tokens", f"q={UID}", reason="ticket 7")

    [row] = lines(file)
    assert (row["id"], row["contract_id"]) == (UID, CONTRACT)
    change = Change.objects.order_by("id").last()
    assert change is not None
    assert (change.action, change.subject, change.who) == ("exported", "tokens", "admin")
    assert change.after == {"as": "csv", "where": {"q": "…e5F6"}, "revealed": "ticket 7"}


@pytest.mark.usefixtures("one_of_each")
def test_who_may_take_lists_away_and_who_may_see_drivers() -> None:
    """A viewer takes nothing; support takes what is masked, whatever reason it gives."""
    viewer, support = (console(person(role.group, role)) for role in (Role.VIEWER, Role.SUPPORT))

    assert viewer.get(url_of("tokens")).status_code == 403
    assert "/export/" not in viewer.get(reverse("admin:hub_token_changelist")).content.decode()
    assert UID not in taken(support, "tokens", reason="ticket 7")
    user = person("nobody")
    user.user_permissions.set(Permission.objects.filter(codename="export_objects"))
    assert console(user).get(url_of("tokens")).status_code == 403


def test_what_is_not_to_be_published_is_in_no_file(admin_client: Client) -> None:
    """A Location that its owner does not publish, its EVSEs, and those of former texts."""
    a_location("HIDDEN", publish=False)
    former = a_location("LOC1")
    Evse.objects.filter(object=former).update(generation=0)

    assert [row["id"] for row in lines(run("export", "locations"))] == ["LOC1"]
    assert lines(run("export", "evses")) == lines(taken(admin_client, "evses")) == []


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_spreadsheet_calculates_what_a_party_sent(begin: str) -> None:
    """A text that would be a formula is marked as text; numbers stay numbers."""
    a_location(f"{begin}cmd", name=f"{begin}1+1", latitude=-1.5)

    [row] = lines(run("export", "locations"))

    assert (row["id"], row["name"]) == (f"'{begin}cmd", f"'{begin}1+1")
    assert row["latitude"] == "-1.5"


def test_any_number_of_rows_goes_out_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement for each chunk, every row once, in order; what comes meanwhile may wait."""
    monkeypatch.setattr(export, "CHUNK", 3)
    for number in range(8):
        a_session(f"S{number}")
    kind = KINDS["sessions"]

    with CaptureQueriesContext(connection) as queries:
        made = file_chunks(kind, kind.rows(), FileFormat.CSV)
        pieces = [next(made), next(made)]
        a_session("later")
        pieces += made

    assert [row["id"] for row in lines("".join(p.text for p in pieces))] == [
        f"S{number}" for number in range(8)
    ]
    assert [piece.rows for piece in pieces] == [0, 3, 3, 2]
    assert [round(piece.share, 2) for piece in pieces][-1] == 1.0
    assert len([query for query in queries if "LIMIT 3" in query["sql"]]) == 3


def test_moments_are_written_as_ocpi_writes_them() -> None:
    """In UTC, with a Z; what is not there is empty, what is true or false says so."""
    a_cdr(started_at=datetime(2026, 11, 21, 8, 30, 1, 250_000, UTC), credit=True)

    [row] = lines(run("export", "cdrs"))

    assert row["started_at"] == "2026-11-21T08:30:01.250Z"
    assert (row["ended_at"], row["credit"]) == ("", "true")


def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty times as many rows take as much as the first of them."""
    monkeypatch.setattr(export, "CHUNK", 500)
    now = timezone.now()
    rows = (
        Tariff(
            owner="NL-CPA", object_id=f"T{n}", object_key=f"T{n}", version="2.2.1",
            text="{}", last_updated=now, last_updated_text='""',
        )
        for n in range(20_000)
    )  # fmt: skip
    Tariff.objects.bulk_create(rows, batch_size=5_000)
    kind = KINDS["tariffs"]

    def peak(most: int) -> int:
        tracemalloc.start()
        number = sum(
            chunk.rows
            for chunk in file_chunks(kind, kind.rows().filter(pk__lte=most), FileFormat.CSV)
        )
        assert number
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    first = Tariff.objects.order_by("pk")[999].pk
    peak(first)
    assert peak(first + 20_000) < 2 * peak(first)


def test_the_command_narrows_by_party_and_time() -> None:
    """Owner or receiver; by last_updated, as lists of OCPI are."""
    a_cdr("C1")
    a_cdr("C2", owner="NL-CPB", recipient="FR-MSB", audience="FR-MSB")
    Cdr.objects.filter(object_id="C1").update(last_updated=timezone.now() - timedelta(days=40))

    def ids(*words: str) -> list[str]:
        return [row["id"] for row in lines(run("export", "cdrs", *words))]

    assert ids() == ["C1", "C2"]
    assert ids("--party", "nl-cpa") == ids("--party", "DE-MSA") == ids("--until", "30d") == ["C1"]
    assert ids("--party", "FR-MSB") == ids("--since", "30d") == ["C2"]
    assert "no moment" in fails("export", "cdrs", "--since", "yesterday")
    assert "NL" in fails("export", "cdrs", "--party", "NL")


@pytest.mark.usefixtures("one_of_each")
def test_the_command_reveals_for_a_reason() -> None:
    """The audit keeps it."""
    assert UID in run("export", "tokens", "--reveal", "ticket 7")
    assert UID not in run("export", "tokens")
    said = Change.objects.filter(action="exported").order_by("id").values_list("after", flat=True)
    assert [(after or {}).get("reveal") for after in said] == ["ticket 7", None]


class _Terminal(StringIO):
    def isatty(self) -> bool:
        """Be one."""
        return True


@pytest.mark.usefixtures("one_of_each")
def test_a_terminal_sees_how_far_it_is() -> None:
    """On stderr, so that the file has nothing of it; a pipe sees the number of rows alone."""
    from django.core.management import call_command  # noqa: PLC0415 - with both its outputs

    out, terminal, pipe = StringIO(), _Terminal(), StringIO()
    call_command("export", "sessions", stdout=out, stderr=terminal)
    call_command("export", "sessions", stdout=StringIO(), stderr=pipe)

    assert len(lines(out.getvalue())) == 1
    assert "100%  rows: 1" in terminal.getvalue()
    assert pipe.getvalue() == "rows: 1\n"


def test_every_list_that_goes_out_is_one_of_the_console() -> None:
    """Each list with *Export* is a kind of file, and none of the stored modules is forgotten."""
    offered = {model for model, page in site._registry.items() if isinstance(page, ExportPages)}
    assert {kind.model for kind in KINDS.values()} == offered
    assert offered >= {policy.model for policy in POLICIES.values()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_manual_names_every_kind(kind: str) -> None:
    """In the row of the command."""
    lines = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").splitlines()
    [row] = [line for line in lines if line.startswith("| a list as a file")]
    assert re.search(rf"`(manage\.py export )?{kind}\b", row)
