"""Drivers stay unknown in the console: uids, contract ids and visual numbers end in an ellipsis."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from hub.masking.personal import mask_in_text, mask_json, mask_member, mask_value, personal_values
from hub.models import Cdr, DeadLetter, Session, Subscription, Token
from tests.console.test_charged_objects import (
    CONTRACT,
    UID,
    VISUAL,
    a_cdr,
    a_location,
    a_session,
    a_token,
    list_of,
    page_of,
    text,
)
from tests.factories import PartyFactory


@pytest.mark.parametrize(
    "whole,shown",
    [
        ("ERASED", "ERASED"),
        ("04A1B2C3D4", "…C3D4"),
        ("12345678", "…5678"),
        ("12345", "…45"),
        ("1", "…"),
        ("", ""),
    ],
)
def test_a_masked_text_never_shows_more_than_half(whole: str, shown: str) -> None:
    """The last four characters are enough to compare, and too much of a short uid."""
    assert mask_value(whole) == shown


def test_personal_members_are_masked_wherever_they_stand() -> None:
    """Nested, repeated, escaped or numeric: the name decides; everything else is as it was."""
    raw = (
        rb'{"uid":"AAAABBBB","uid":"CCCCDDDD","n":1.50e0,"x":[{"token_uid":12345678}],'
        rb'"energy_contract":{"contract_id":"CONTRACT1"},"u\u0069d":"EEEE\u0046FFF","evse_uid":"E1",'
        rb'"note":"\"uid\": \"NNNNNNNN\"","group_id":null}'
    )
    shown = mask_json(raw).decode()
    for secret in ("AAAAB", "CCCCD", "1234", "CONTRACT", "EEEE"):
        assert secret not in shown, secret
    for kept in ('"…BBBB"', '"…DDDD"', "1.50e0", '"…5678"', '"…ACT1"', '"E1"', "NNNNNNNN", "null"):
        assert kept in shown, kept
    assert personal_values(raw) == {"AAAABBBB", "CCCCDDDD", "12345678", "CONTRACT1", "EEEEFFFF"}
    assert json.loads(shown)["n"] == 1.5


def test_what_is_no_json_is_not_shown() -> None:
    """Where the members cannot be told apart, nothing is."""
    assert b"04A1" not in mask_json(b'{"uid": "04A1')
    assert personal_values(b'{"uid": "04A1') == set()
    assert mask_member(b"[1]", "uid") == b"[1]"


def test_a_location_shows_its_evses_and_not_who_may_see_it() -> None:
    """An EVSE's uid is nobody's; those of the tokens a location is published to are somebody's."""
    raw = b'{"evses":[{"uid":"EVSE-UID-1"}],"publish_allowed_to":[{"uid":"04A1B2C3D4"}]}'
    shown = mask_member(raw, "publish_allowed_to").decode()
    assert "EVSE-UID-1" in shown
    assert "04A1B2" not in shown


def test_values_are_masked_in_words_of_others() -> None:
    """Longer values first, in any case."""
    assert mask_in_text("token abcd1234 of ABCD1234-X", {"ABCD1234", "ABCD1234-X", ""}) == (
        "token …1234 of …34-X"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("uid,kind", [(UID, "RFID"), (UID, "APP_USER")])
def test_no_page_shows_what_identifies_a_driver(admin_client: Client, uid: str, kind: str) -> None:
    """Lists, pages, histories and titles show the ends alone, of tokens and what they charged."""
    token, cdr = a_token(uid, kind=kind), a_cdr()
    rows = [token, cdr, a_session(), a_location()]
    signed = {"signed_values": [{"plain_data": f"OCMF|{UID}", "signed_data": f"{UID}AA"}]}
    Cdr.objects.update(text=json.dumps({**json.loads(cdr.text), "signed_data": signed}))
    narrowed = [f"{list_of(kind)}?token={token.pk}" for kind in (Session, Cdr)]
    pages = [page for row in rows for page in (page_of(row), page_of(row, "history"))]
    for url in [*narrowed, *pages, *(list_of(type(row)) for row in rows)]:
        html = text(admin_client, url).upper()
        assert [s for s in (UID, CONTRACT, VISUAL) if s.upper() in html] == [], url
    for url in (list_of(Token), page_of(token), page_of(cdr), list_of(Session)):
        assert mask_value(UID).upper() in text(admin_client, url).upper(), url


@pytest.mark.django_db
@pytest.mark.parametrize("module", ["tokens", "sessions", "cdrs"])
def test_dead_letters_show_no_driver_either(admin_client: Client, module: str) -> None:
    """The path, the text and the receiver's own words are masked alike."""
    party = PartyFactory.create()
    subscription = Subscription.objects.create(
        receiver=party, module=module, transaction=0, ahead=[]
    )
    dead_letter = DeadLetter.objects.create(
        subscription=subscription,
        owner="DE-MSA",
        method="PUT",
        path=f"DE/MSA/{UID}?type=APP_USER" if module == "tokens" else "NL/CPA/S1",
        body=json.dumps({"cdr_token": {"uid": UID, "contract_id": CONTRACT}}),
        reason=f"Token {UID.lower()} with contract {CONTRACT} is unknown",
    )
    page = reverse("admin:hub_deadletter_change", args=[dead_letter.pk])
    for url in (reverse("admin:hub_deadletter_changelist"), page):
        html = text(admin_client, url).upper()
        assert UID.upper() not in html
        assert CONTRACT not in html
        assert f"TOKEN {mask_value(UID).upper()} WITH CONTRACT" in html
    found = admin_client.get(reverse("admin:hub_deadletter_changelist"), {"q": UID})
    assert [row.pk for row in found.context["cl"].result_list] == [dead_letter.pk]
