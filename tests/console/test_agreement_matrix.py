"""Agreements as a matrix, by CSV and explained, in the operators' console."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.db.models.signals import pre_save
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parties import agreement_csv, agreement_matrix
from parties.models import Agreement, Party
from tests.factories import AgreementFactory, PartyFactory

pytestmark = pytest.mark.django_db
MATRIX = "/admin/parties/agreement/matrix/"
EXPLAIN = "/admin/parties/agreement/explain/"
IMPORT = "/admin/parties/agreement/import/"
EXPORT = "/admin/parties/agreement/export.csv/"
HEADER = "cpo,emsp,state,modules,valid_from,valid_until"
QUERIES = 20


def party(role: str, key: str, **fields: Any) -> Party:
    """Return a party on a platform of its own."""
    country, party_id = key.split("-")
    made: Party = PartyFactory.create(role=role, country_code=country, party_id=party_id, **fields)
    return made


def shown(client: Client, **query: Any) -> dict[tuple[str, str], str]:
    """Return the letters of a page of the matrix."""
    with CaptureQueriesContext(connection) as queries:
        answer: Any = client.get(MATRIX, query)
    assert answer.status_code == 200
    assert len(queries) <= QUERIES
    return {
        (cell.owner.key, cell.reader.key): cell.letter
        for row in answer.context["matrix"].cells
        for cell in row
        if cell
    }


def post(client: Client, change: str, *pairs: tuple[Party, Party], **more: str) -> Any:
    """Ask for something to be done to some pairs."""
    chosen = [f"{owner.pk}-{reader.pk}" for owner, reader in pairs]
    return client.post(MATRIX, {"change": change, "pair": chosen, **more}, follow=True)


def viewer(client: Client, django_user_model: Any) -> None:
    """Log somebody in who may only look."""
    user = django_user_model.objects.create_user("somebody", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_agreement"))
    client.force_login(user)


def test_each_pair_shows_its_state_as_a_letter(admin_client: Client) -> None:
    """All states, none, not begun, ended; a pair without anything to exchange has no cell."""
    cpo, nap = party("CPO", "NL-CPA"), party("NAP", "NL-NDW")
    far, past = "2099-01-01T00:00Z", "2020-01-01T00:00Z"
    states: tuple[dict[str, Any], ...] = (
        {"state": "ACTIVE", "modules": ["locations", "tokens"]},
        {"state": "ACTIVE", "valid_from": far},
        {"state": "ACTIVE", "valid_until": past},
        {"state": "SUSPENDED"},
        {"state": "DRAFT"},
        {"state": "EXPIRED"},
    )
    for number, fields in enumerate(states):
        AgreementFactory.create(cpo=cpo, emsp=party("EMSP", f"DE-MS{number}"), **fields)
    party("EMSP", "DE-MS9"), party("SCSP", "DE-SCS")

    letters = shown(admin_client)

    keys = [*(f"DE-MS{number}" for number in range(6)), "DE-MS9", "DE-SCS"]
    assert [letters[cpo.key, key] for key in keys] == [*"ANESDE", "+", "+"]
    assert letters[nap.key, "DE-MS9"] == "+"
    assert (nap.key, "DE-SCS") not in letters
    page = admin_client.get(MATRIX).content.decode()
    assert 'title="NL-CPA - DE-MS0: ACTIVE for locations, tokens"' in page
    assert f"/admin/parties/agreement/add/?cpo={cpo.pk}&amp;emsp=" in page


def test_three_hundred_by_three_hundred_stay_a_page(admin_client: Client) -> None:
    """The page is bounded in both directions, filtered by key, name, role and state."""
    first = party("CPO", "NL-CPA", name="Charge A")
    PartyFactory.create_batch(299, platform=first.platform)
    reader = party("EMSP", "DE-MSA", name="Drive A")
    PartyFactory.create_batch(299, platform=reader.platform, role="EMSP", country_code="FR")
    AgreementFactory.create(cpo=first, emsp=reader)

    assert len(shown(admin_client)) == agreement_matrix.ROWS * agreement_matrix.COLUMNS
    assert len(shown(admin_client, row_page=10, column_page=13)) == 30 * 12
    assert len(shown(admin_client, row_page=999, column_page="x")) == 30 * 24
    assert shown(admin_client, owners="cpa", readers="drive") == {("NL-CPA", "DE-MSA"): "A"}
    assert shown(admin_client, state="ACTIVE") == {("NL-CPA", "DE-MSA"): "A"}
    assert shown(admin_client, state="DRAFT") == {}
    assert shown(admin_client, owners="cpa", reader_role="NSP") == {}
    assert shown(admin_client, owner_role="EMSP", readers="DE-MSA") == {}


def test_a_selection_is_activated_after_a_question(admin_client: Client) -> None:
    """New agreements are made, others keep modules; what is active already stays untouched."""
    cpo = party("CPO", "NL-CPA")
    new, kept, same = (party("EMSP", f"DE-MS{letter}") for letter in "ABC")
    AgreementFactory.create(cpo=cpo, emsp=kept, state="SUSPENDED", modules=["locations"])
    AgreementFactory.create(cpo=cpo, emsp=same)
    pairs = [(cpo, new), (cpo, kept), (cpo, same)]

    asked = post(admin_client, "activate", *pairs).content.decode()
    assert "Activate 2 agreements" in asked
    assert "NL-CPA - DE-MSB: SUSPENDED" in asked
    assert Agreement.objects.filter(state="ACTIVE").count() == 1
    done = post(admin_client, "activate", *pairs, confirmed="1").content.decode()
    assert "2 agreements are ACTIVE now." in done
    found = {a.emsp.key: (a.state, a.modules) for a in Agreement.objects.select_related("emsp")}
    assert found == {
        "DE-MSA": ("ACTIVE", []),
        "DE-MSB": ("ACTIVE", ["locations"]),
        "DE-MSC": ("ACTIVE", []),
    }


def test_a_selection_is_suspended(admin_client: Client) -> None:
    """In one go, recorded in the history of each; a pair without an agreement stays without."""
    made, other = AgreementFactory.create(), party("EMSP", "FR-MSB")
    post(admin_client, "suspend", (made.cpo, made.emsp), (made.cpo, other), confirmed="1")
    assert [(a.pk, a.state) for a in Agreement.objects.all()] == [(made.pk, "SUSPENDED")]
    history = admin_client.get(f"/admin/parties/agreement/{made.pk}/history/").content.decode()
    assert "ACTIVE → SUSPENDED" in history


def test_where_access_is_open_a_pair_is_refused(
    admin_client: Client, settings: LazySettings
) -> None:
    """By an agreement that is suspended from its beginning."""
    settings.HUB_ACCESS = "open"
    post(admin_client, "suspend", (party("CPO", "NL-CPA"), party("EMSP", "DE-MSA")), confirmed="1")
    assert Agreement.objects.get().state == "SUSPENDED"


def test_what_cannot_be_selected_changes_nothing(admin_client: Client) -> None:
    """No pair, a pair that is none, one with nothing to exchange, an unknown change."""
    cpo, other = party("CPO", "NL-CPA"), party("CPO", "NL-CPB")
    for data in (
        {"change": "activate"},
        {"change": "activate", "pair": ["x", "1-", f"{cpo.pk}-{other.pk}", "999999-1"]},
        {"change": "forget", "pair": [f"{cpo.pk}-{other.pk}"]},
    ):
        answer = admin_client.post(MATRIX, {**data, "confirmed": "1"}, follow=True)
        assert "Select at least one pair first." in answer.content.decode()
    assert not Agreement.objects.exists()


def test_who_may_only_look_changes_nothing(client: Client, django_user_model: Any) -> None:
    """No boxes, no buttons, no file in; looking, explaining and the file out are allowed."""
    made = AgreementFactory.create()
    viewer(client, django_user_model)
    page = client.get(MATRIX).content.decode()
    assert 'name="pair"' not in page
    assert post(client, "suspend", (made.cpo, made.emsp), confirmed="1").status_code == 403
    assert client.get(IMPORT).status_code == 403
    assert client.get(EXPLAIN).status_code == 200
    assert client.get(EXPORT).status_code == 403


def test_who_may_not_see_agreements_sees_none_of_this(
    client: Client, django_user_model: Any
) -> None:
    """Being of the staff is not enough."""
    client.force_login(django_user_model.objects.create_user("somebody", is_staff=True))
    assert {client.get(url).status_code for url in (MATRIX, EXPLAIN, EXPORT, IMPORT)} == {403}


def test_the_file_out_is_the_file_in(admin_client: Client) -> None:
    """Checked first, then imported; a bad line is named and nothing is changed."""
    made = AgreementFactory.create(modules=["tokens"])
    answer: Any = admin_client.get(EXPORT)
    assert "attachment" in answer.headers["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode()
    line = f"{made.cpo.key},{made.emsp.key},ACTIVE,tokens,,,CPO,EMSP"
    assert text.splitlines() == [f"{HEADER},cpo_role,emsp_role", line]

    def sent(body: str, **data: str) -> str:
        file = SimpleUploadedFile("a.csv", body.encode())
        return admin_client.post(IMPORT, {"file": file, **data}).content.decode()

    changed = text.replace("ACTIVE", "SUSPENDED")
    assert "0 created, 1 changed, 0 unchanged" in sent(changed)
    made.refresh_from_db()
    assert made.state == "ACTIVE"
    assert "Done" in sent(changed, **{"import": "1"})
    made.refresh_from_db()
    assert made.state == "SUSPENDED"
    assert "line 2: " in sent(f"{HEADER}\nNL-XXX,DE-YYY,,,,\n", **{"import": "1"})
    assert "must name the columns" in sent("a,b\n")
    long = sent("cpo,emsp\n" + "NL-XXX,DE-YYY\n" * 2_001)
    assert "more than 2,000 lines: split the file, or use manage.py import_agreements" in long
    assert (
        "Refused"
        in admin_client.post(
            IMPORT, {"file": SimpleUploadedFile("a.csv", b"\xff\xfe\x00")}
        ).content.decode()
    )


def test_an_import_that_stopped_half_way_is_not_called_refused(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says what is in force already, under a heading of its own; no cache keeps it."""
    monkeypatch.setattr(agreement_csv, "_BATCH_LINES", 1)
    for role, key in (("CPO", "NL-CPA"), ("CPO", "NL-CPB"), ("EMSP", "DE-MSA")):
        party(role, key)
    file = SimpleUploadedFile("a.csv", b"cpo,emsp\nNL-CPA,DE-MSA\nNL-CPB,DE-MSA\n")

    def interfere(instance: Agreement, **_: object) -> None:
        if instance.cpo.key == "NL-CPB":
            raise IntegrityError("the party is gone")

    pre_save.connect(interfere, sender=Agreement)
    try:
        answer = admin_client.post(IMPORT, {"file": file, "import": "1"})
    finally:
        pre_save.disconnect(interfere, sender=Agreement)

    page = answer.content.decode()
    assert ">Stopped half-way</span> The first lines are in force, the others are not:" in page
    assert "what stands before line 3 is taken over" in page
    assert "Refused" not in page
    assert "no-store" in answer.headers["Cache-Control"]
    assert [made.cpo.key for made in Agreement.objects.all()] == ["NL-CPA"]


def test_a_question_is_answered_by_who_judges_messages(admin_client: Client) -> None:
    """Allowed or not and why, with the parties, their agreement and the way to their messages."""
    made = AgreementFactory.create(modules=["locations"])
    one, other = made.cpo.key, made.emsp.key

    def answered(module: str, **named: str) -> str:
        query = {"one": one, "other": other, "module": module} | named
        with CaptureQueriesContext(connection) as queries:
            text = admin_client.get(EXPLAIN, query).content.decode()
        assert len(queries) <= QUERIES
        return text

    assert ">Allowed<" in answered("locations")
    refused = answered("tokens")
    assert ">Not allowed<" in refused
    assert f"the agreement {one} - {other} does not cover tokens." in refused
    assert f"/admin/hub/exchange/?party={one}&amp;module=tokens" in refused
    assert "XX-YYY is not a party of this hub." in answered("tokens", other="XX-YYY")
    assert 'role="alert"' in answered("tokens", other="?")
