"""The operators' console over the parties: agreements, and what is decided about platforms."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from console.platform_quirks import QUIRK_FIELDS
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, AllowedParty, Party, Platform
from parties.quirks import Quirks
from parties.signals import agreement_changed
from tests.factories import AgreementFactory, PartyFactory, PlatformFactory

pytestmark = pytest.mark.django_db
ADD_AGREEMENT = "/admin/parties/agreement/add/"


def agreement(cpo: Party, emsp: Party, **fields: Any) -> dict[str, Any]:
    """Return a filled form."""
    return {"cpo": cpo.pk, "emsp": emsp.pk, "state": "ACTIVE", **fields}


def party(role: str, country: str, party_id: str) -> Party:
    """Return a party on a platform of its own."""
    made: Party = PartyFactory.create(role=role, country_code=country, party_id=party_id)
    return made


def errors(answer: Any) -> str:
    """Return everything a refused form says."""
    forms = [
        answer.context["adminform"].form,
        *(inline.formset for inline in answer.context["inline_admin_formsets"]),
    ]
    found = [str(form.errors) for form in forms] + [str(f.non_form_errors()) for f in forms[1:]]
    return " ".join(found)


def test_a_saved_agreement_is_announced(
    admin_client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    """Adding and changing an agreement each fire agreement_changed once it is committed."""
    heard: list[int] = []

    def hear(agreement_id: int, **_: object) -> None:
        heard.append(agreement_id)

    agreement_changed.connect(hear)
    cpo, emsp = party("CPO", "NL", "CPA"), party("EMSP", "DE", "MSA")
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(ADD_AGREEMENT, agreement(cpo, emsp, modules=["locations"]))
    made = Agreement.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(
            reverse("admin:parties_agreement_change", args=[made.pk]), {"state": "SUSPENDED"}
        )
    agreement_changed.disconnect(hear)
    made.refresh_from_db()
    assert (made.state, made.modules, made.cpo, made.emsp) == ("SUSPENDED", [], cpo, emsp)
    assert heard == [made.pk, made.pk]


@pytest.mark.parametrize(
    "one,other,fields,sentence",
    [
        ("CPO BE MIX", "EMSP BE MIX", {}, "needs no agreement with itself"),
        (
            "NAP NL NDW",
            "SCSP NL SCS",
            {},
            "have nothing to exchange: no module is for NAP and SCSP",
        ),
        ("CPO NL CPA", "NSP NL NAV", {"modules": ["locations", "cdrs"]}, "cannot exchange cdrs"),
        ("EMSP DE MSA", "EMSP FR MSB", {}, "no module is for EMSP and EMSP"),
        ("NSP NL NAV", "EMSP FR MSB", {}, "not one of the available choices"),
        ("CPO NL CPA", "EMSP DE MSA", {"state": "OPEN"}, "not one of the available choices"),
        (
            "CPO NL CPA",
            "EMSP DE MSA",
            {"modules": ["credentials"]},
            "not one of the available choices",
        ),
        (
            "CPO NL CPA",
            "EMSP DE MSA",
            {
                "valid_from_0": "2026-02-01",
                "valid_from_1": "00:00",
                "valid_until_0": "2026-01-01",
                "valid_until_1": "00:00",
            },
            "must end after it begins",
        ),
    ],
)
def test_an_agreement_without_effect_is_refused_with_a_sentence(
    admin_client: Client, one: str, other: str, fields: dict[str, Any], sentence: str
) -> None:
    """Roles with nothing to exchange, modules not for them and an empty period are refused."""
    first, second = party(*one.split()), party(*other.split())
    if first.ref == second.ref:  # at two platforms they may have something to agree on
        Party.objects.filter(pk=second.pk).update(platform=first.platform)
    form = agreement(first, second, **fields)
    assert sentence in errors(admin_client.post(ADD_AGREEMENT, form))
    assert not Agreement.objects.exists()


def test_an_agreement_keeps_a_module_it_names_choosable(admin_client: Client) -> None:
    """Losing the only module would mean all modules: whatever it names can be chosen again."""
    made = AgreementFactory.create(modules=["hubclientinfo"])
    page = admin_client.get(reverse("admin:parties_agreement_change", args=[made.pk]))
    assert ("hubclientinfo", "hubclientinfo") in page.context["adminform"].form.fields[
        "modules"
    ].choices


def test_agreements_cannot_be_deleted(admin_client: Client) -> None:
    """A suspended agreement refuses; deleting it would open the pair where access is open."""
    made = AgreementFactory.create()
    url = reverse("admin:parties_agreement_delete", args=[made.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 403


def platform_form(platform: Platform | None, *rows: AllowedParty, **fields: Any) -> dict[str, Any]:
    """Return a platform's form as a browser sends it, with its list and standard quirks."""
    form: dict[str, Any] = {"name": platform.name if platform else "newcomer"}
    prefix, new = "allowed_parties", fields.pop("new", ())
    form |= {f"{prefix}-TOTAL_FORMS": len(rows) + len(new), f"{prefix}-INITIAL_FORMS": len(rows)}
    form |= {f"{prefix}-{place}-id": row.pk for place, row in enumerate(rows)}
    for place, triple in enumerate(new, start=len(rows)):
        form |= dict(
            zip(
                (f"{prefix}-{place}-{name}" for name in ("role", "country_code", "party_id")),
                triple,
                strict=True,
            )
        )
    for prefix in ("credentials", "endpoints", "deviations"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    defaults = {f"quirk_{name}": value for name, value in Quirks().as_mapping().items()}
    switched_on = {name: "on" for name in QUIRK_FIELDS if defaults[name] is True}
    return {**form, **switched_on, **fields}


def page_of(platform: Platform) -> str:
    """Return the address of a platform's page."""
    return reverse("admin:parties_platform_change", args=[platform.pk])


def test_a_new_platform_has_its_list_and_standard_quirks(admin_client: Client) -> None:
    """Adding prepares a PLANNED platform with allowed parties, and shows its token A."""
    new = [("CPO", "nl", "cpa"), ("EMSP", "DE", "MSA")]
    form = platform_form(None, new=new, starts="platform")
    answer = admin_client.post("/admin/parties/platform/add/", form)
    made = Platform.objects.get()
    assert answer.context["token"]
    assert (made.name, made.status, made.quirks) == ("newcomer", ConnectionStatus.PLANNED, Quirks())
    assert {str(row) for row in made.allowed_parties.all()} == {"NL-CPA (CPO)", "DE-MSA (EMSP)"}
    assert {row.key for row in made.parties.all()} == {"NL-CPA", "DE-MSA"}


def test_saving_changes_quirks_and_list_and_nothing_that_happened_meanwhile(
    admin_client: Client,
) -> None:
    """Quirks are typed; the list is extended; what delivery writes is not touched."""
    row = PartyFactory.create()
    [allowed] = AllowedParty.objects.all()
    form = platform_form(
        row.platform,
        allowed,
        new=[("EMSP", "de", "msa")],
        quirk_patch_supported="",
        quirk_base64_out="",
    )
    answer = admin_client.post(page_of(row.platform), form)
    assert answer.status_code == 302, errors(answer)
    saved = Platform.objects.get()
    assert saved.quirks == Quirks(patch_supported=False, base64_out=False)
    assert saved.status == ConnectionStatus.CONNECTED
    assert {str(row) for row in saved.allowed_parties.all()} == {str(allowed), "DE-MSA (EMSP)"}


@pytest.mark.parametrize(
    "triple,sentence",
    [
        (("CPO", "NL", "HUB"), "is the hub itself"),
        (("CPO", "NL", "CPA"), "belongs to the platform"),
        (("CPO", "NLD", "CPA"), "at most 2 characters"),
        (("CPO", "NL", "C"), "like NL CPA"),
    ],
)
def test_a_wrong_line_of_the_list_is_refused(
    admin_client: Client, triple: tuple[str, ...], sentence: str
) -> None:
    """No platform gets the hub's party, another platform's, or one that is none."""
    PartyFactory.create(country_code="NL", party_id="CPA")
    mine = PlatformFactory.create(planned=True)
    answer = admin_client.post(page_of(mine), platform_form(mine, new=[triple]))
    assert sentence in errors(answer)
    assert not mine.allowed_parties.exists()


def test_an_active_party_stays_on_the_list(admin_client: Client) -> None:
    """A line goes only when the credentials in force do not name its party; one always stays."""
    row = PartyFactory.create()
    AllowedParty.objects.create(
        platform=row.platform, role="EMSP", country_code="DE", party_id="MSA"
    )
    lines = list(AllowedParty.objects.order_by("pk"))
    delete = {"allowed_parties-0-DELETE": "on"}
    answer = admin_client.post(page_of(row.platform), platform_form(row.platform, *lines, **delete))
    assert "is active" in errors(answer)
    Party.objects.update(is_active=False)
    admin_client.post(page_of(row.platform), platform_form(row.platform, *lines, **delete))
    assert [str(line) for line in AllowedParty.objects.all()] == ["DE-MSA (EMSP)"]
    answer = admin_client.post(
        page_of(row.platform), platform_form(row.platform, lines[1], **delete)
    )
    assert "at least one party" in errors(answer)


def test_a_party_shows_its_business_details_and_agreements(admin_client: Client) -> None:
    """A party's page has its details line by line and whom it exchanges data with."""
    made = AgreementFactory.create(
        cpo=PartyFactory.create(business_details='{"name":"A<b>","website":"https://a.example"}')
    )
    html = admin_client.get(
        reverse("admin:parties_party_change", args=[made.cpo.pk])
    ).content.decode()
    assert "&quot;name&quot;: &quot;A&lt;b&gt;&quot;" in html
    assert str(made) in html
    assert list(
        admin_client.get("/admin/parties/party/", {"q": made.cpo.key}).context["cl"].result_list
    ) == [made.cpo]
