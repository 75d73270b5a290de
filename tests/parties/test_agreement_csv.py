"""Agreements by the file, their end, and what explains them."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models.signals import pre_save
from django.utils import timezone

from parties import agreement_csv
from parties.agreements import expire
from parties.models import Agreement, AgreementState, Party
from parties.signals import agreement_changed
from tests.factories import AgreementFactory, PartyFactory
from tests.parties.commands import fails, run, run_json

pytestmark = pytest.mark.usefixtures("transactional_db")
HEADER = "cpo,emsp,state,modules,valid_from,valid_until"
ROLES = "cpo,emsp,emsp_role"


@pytest.fixture
def parties(transactional_db: None) -> None:
    """Two CPOs and an eMSP without any agreement."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    PartyFactory.create(country_code="NL", party_id="CPB")
    PartyFactory.create(country_code="DE", party_id="MSA", role="EMSP")


def a_file(folder: Path, *lines: str, header: str = HEADER) -> str:
    """Write a CSV file and return its name."""
    path = folder / "agreements.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


def failed(*words: str) -> Any:
    """Run a command that ends with code 1 and return its JSON."""
    return run_json(*words, code=1)


@pytest.mark.usefixtures("parties")
def test_a_file_makes_and_changes_agreements(tmp_path: Path) -> None:
    """A second reading of the same file changes nothing, another one what is different in it."""
    lines = [
        "NL-CPA,DE-MSA,,locations tariffs,2027-01-01,",
        "nl-cpb,de-msa,draft,,,2027-12-31T12:00",
    ]
    first = run_json("import_agreements", a_file(tmp_path, *lines))
    assert (first["created"], first["changed"], first["unchanged"]) == (2, 0, 0)
    one, other = Agreement.objects.order_by("cpo__key")
    assert (one.state, one.modules) == ("ACTIVE", ["locations", "tariffs"])
    assert one.valid_from is not None
    assert one.valid_from.isoformat() == "2027-01-01T00:00:00+00:00"
    assert (other.state, other.modules) == ("DRAFT", [])

    again = run_json("import_agreements", a_file(tmp_path, *lines))
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)
    changed = run_json("import_agreements", a_file(tmp_path, "NL-CPA,DE-MSA,SUSPENDED,,,"))
    assert (changed["created"], changed["changed"], changed["unchanged"]) == (0, 1, 0)
    one = Agreement.objects.get(pk=one.pk)
    assert (one.state, one.modules, one.valid_from) == ("SUSPENDED", [], None)


@pytest.mark.usefixtures("parties")
def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    """The export of a hub brings nothing new to the same hub."""
    lines = ["NL-CPA,DE-MSA,ACTIVE,tariffs,2027-01-01,2027-12-31", "NL-CPB,DE-MSA,SUSPENDED,,,"]
    run_json("import_agreements", a_file(tmp_path, *lines))

    exported = run("export_agreements")
    assert [row["cpo"] for row in csv.DictReader(exported.splitlines())] == ["NL-CPA", "NL-CPB"]
    path = tmp_path / "again.csv"
    path.write_text(exported, encoding="utf-8")
    assert run_json("import_agreements", str(path))["unchanged"] == 2


@pytest.mark.usefixtures("parties")
def test_two_roles_of_one_party_are_told_apart(tmp_path: Path) -> None:
    """What is written names each side's role; a file without that means the first that fits."""
    cpo, emsp = Party.objects.get(key="NL-CPA"), Party.objects.get(key="DE-MSA")
    nsp = PartyFactory.create(country_code="DE", party_id="MSA", role="NSP")
    AgreementFactory.create(cpo=cpo, emsp=emsp, state="SUSPENDED")
    AgreementFactory.create(cpo=cpo, emsp=nsp, modules=["locations"])

    path = tmp_path / "again.csv"
    path.write_text(run("export_agreements"), encoding="utf-8")
    assert run_json("import_agreements", str(path))["unchanged"] == 2
    Agreement.objects.all().delete()
    assert run_json("import_agreements", str(path))["created"] == 2

    found = Agreement.objects.order_by("emsp__role").values_list("emsp__role", "state", "modules")
    assert list(found) == [("EMSP", "SUSPENDED", []), ("NSP", "ACTIVE", ["locations"])]
    bad = failed("import_agreements", a_file(tmp_path, "NL-CPA,DE-MSA,SCSP", header=ROLES))
    assert "DE-MSA has no role SCSP at this hub, it is EMSP, NSP" in bad["bad"][0]["why"]
    bad = failed("import_agreements", a_file(tmp_path, "NL-CPA,DE-MSA,eMSPs", header=ROLES))
    assert "there is no role 'EMSPS'" in bad["bad"][0]["why"]


@pytest.mark.usefixtures("parties")
def test_a_line_is_told_once_and_only_when_it_changes_something(tmp_path: Path) -> None:
    """A large file that says what is so already wakes nobody."""
    announced: list[object] = []

    def listen(**what: object) -> None:
        announced.append(what["agreement_id"])

    agreement_changed.connect(listen)
    try:
        for line in ("NL-CPA,DE-MSA,,tariffs,,", "NL-CPA,DE-MSA,DRAFT,,2027-01-01,"):
            for _ in range(2):
                run_json("import_agreements", a_file(tmp_path, line))
    finally:
        agreement_changed.disconnect(listen)
    assert announced == [Agreement.objects.get().pk] * 2


@pytest.mark.usefixtures("parties")
def test_every_bad_line_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    """All or nothing: one look at the answer is enough to mend the file."""
    result = failed(
        "import_agreements",
        a_file(
            tmp_path,
            "NL-CPA,DE-MSA,ACTIVE,,,",
            "NL-CPA,DE-MSA,ACTIVE,,,",
            "NL-XXX,DE-MSA,ACTIVE,,,",
            "NL-CPB,DE-MSA,SIGNED,,,",
            "NL-CPB,DE-MSA,,parking,,",
            "NL-CPB,DE-MSA,,,tomorrow,",
            "NL-CPB,DE-MSA,,,2027-02-01,2027-01-01",
            "NL-CPA,NL-CPB,,,,",
            "NLCPA,DE-MSA,,,,",
            "NL-CPB,DE-MSA,,,,,surplus",
        ),
    )

    assert [each["line"] for each in result["bad"]] == list(range(3, 12))
    for each, words in zip(
        result["bad"],
        [
            "line 2",
            "not a party of this hub",
            "DRAFT, ACTIVE, SUSPENDED, EXPIRED",
            "no module 'parking'",
            "no date",
            "end after it begins",
            "nothing to exchange",
            "not a party like NL-CPA",
            "more cells",
        ],
        strict=True,
    ):
        assert words in each["why"]
    assert not Agreement.objects.exists()


@pytest.mark.usefixtures("parties")
def test_a_good_file_is_taken_over_some_lines_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction is open for all of it; what broke it off is mended by reading it again."""
    monkeypatch.setattr(agreement_csv, "_BATCH_LINES", 1)
    path = a_file(tmp_path, "NL-CPA,DE-MSA,,,,", "NL-CPB,DE-MSA,,,,")

    def interfere(instance: Agreement, **_: object) -> None:
        if instance.cpo.key == "NL-CPB":
            raise IntegrityError("the party is gone")

    pre_save.connect(interfere, sender=Agreement)
    try:
        assert "what stands before line 3 is taken over" in fails("import_agreements", path)
    finally:
        pre_save.disconnect(interfere, sender=Agreement)
    assert [made.cpo.key for made in Agreement.objects.all()] == ["NL-CPA"]
    again = run_json("import_agreements", path)
    assert (again["created"], again["unchanged"]) == (1, 1)


@pytest.mark.usefixtures("parties")
def test_a_dry_run_changes_nothing_and_tells_nobody(tmp_path: Path) -> None:
    """It only counts what would become of the file."""
    announced: list[object] = []

    def listen(**what: object) -> None:
        announced.append(what)

    agreement_changed.connect(listen)
    try:
        path = a_file(tmp_path, "NL-CPA,DE-MSA,,,,")
        assert run_json("import_agreements", path, "--dry-run")["created"] == 1
        assert (Agreement.objects.count(), announced) == (0, [])
        assert run_json("import_agreements", path)["created"] == 1
        assert announced
    finally:
        agreement_changed.disconnect(listen)


@pytest.mark.usefixtures("parties")
@pytest.mark.parametrize(
    "header, sentence",
    [
        ("cpo,state", "emsp lacks"),
        ("cpo,emsp,until", "there is no column 'until'"),
        ("", "lacks"),
        ('"cpo" ,emsp', "line 1 is no CSV"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, header: str, sentence: str) -> None:
    """By its first line, in one sentence."""
    path = a_file(tmp_path, "NL-CPA,DE-MSA", header=header)
    assert sentence in fails("import_agreements", path)
    assert "cannot be read" in fails("import_agreements", str(tmp_path / "none"))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """The sentence names the one that is meant."""
    path = tmp_path / "agreements.csv"
    path.write_text(f"{HEADER}\nNL-CPA,DE-MSA,,,,\n", encoding="utf-16")
    assert "the file is not in UTF-8" in fails("import_agreements", str(path))


def test_an_agreement_whose_period_is_over_expires() -> None:
    """An active one only, and whoever listens hears of it."""
    now = timezone.now()
    over = AgreementFactory.create(valid_until=now - timedelta(seconds=1))
    refused = AgreementFactory.create(
        valid_until=now - timedelta(seconds=1), state=AgreementState.SUSPENDED.value
    )
    running = AgreementFactory.create(valid_until=now + timedelta(days=1))
    announced: list[object] = []

    def listen(**what: object) -> None:
        announced.append(what["agreement_id"])

    agreement_changed.connect(listen)
    try:
        assert [each.pk for each in expire()] == [over.pk]
        assert expire() == []
    finally:
        agreement_changed.disconnect(listen)
    states = dict(Agreement.objects.values_list("pk", "state"))
    assert states == {over.pk: "EXPIRED", refused.pk: "SUSPENDED", running.pk: "ACTIVE"}
    assert announced == [over.pk]


@pytest.mark.usefixtures("parties")
def test_explain_says_allowed_or_why_not() -> None:
    """By its exit code and in one sentence, in either order."""
    refusal = failed("explain", "NL-CPA", "DE-MSA", "tariffs")
    assert (refusal["allowed"], "no agreement" in refusal["why"]) == (False, True)

    run_json("agree", "NL-CPA", "DE-MSA", "--module", "locations")
    assert "does not cover" in failed("explain", "DE-MSA", "NL-CPA", "tariffs")["why"]
    assert run_json("explain", "DE-MSA", "NL-CPA", "locations")["allowed"] is True
    assert run("explain", "NL-CPA", "DE-MSA", "locations").startswith("Allowed: ")
