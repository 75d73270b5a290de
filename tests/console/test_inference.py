"""What is masked cannot be guessed by narrowing a list until something is left."""

import pytest
from django.test import Client

from hub.models import DeadLetter, PullState, Quarantined, Subscription
from operators.groups import Role
from tests.console.test_charged_objects import UID, a_cdr, a_session, a_token
from tests.factories import PartyFactory
from tests.operators.staff import console, person

pytestmark = pytest.mark.django_db
NO = 400


@pytest.fixture
def vera() -> Client:
    """One who may see everything, masked."""
    return console(person("vera", Role.VIEWER))


@pytest.mark.parametrize(
    "page",
    [
        "token/?object_id__startswith=04",
        "token/?contract_id__regex=^NL",
        "token/?text__contains=0",
        "session/?token_key__startswith=04",
        "cdr/?text__regex=(a%2B)%2B$",
        "deadletter/?body__contains=uid",
        "quarantined/?text__contains=uid",
    ],
)
def test_a_list_is_narrowed_by_its_filters_alone(vera: Client, page: str) -> None:
    """Parts of columns would tell what the page does not show."""
    a_token(UID)
    a_session("S1")
    a_cdr("C1", session="S1")

    assert vera.get(f"/admin/hub/{page}").status_code == NO


@pytest.mark.parametrize(
    "page",
    [
        "token/?valid__exact=1",
        "cdr/?posted_at__gte=2026-01-01T00:00Z",
        "deadletter/?http_status=400",
    ],
)
def test_filters_go_on_narrowing(vera: Client, page: str) -> None:
    """As their own links do, and the dashboard's."""
    assert vera.get(f"/admin/hub/{page}").status_code == 200


def _letter(module: str, path: str) -> None:
    party = PartyFactory.create(role="CPO")
    subscription = Subscription.objects.create(receiver=party, module=module, transaction=1)
    DeadLetter.objects.create(
        subscription=subscription, owner="DE-MSA", method="PUT", path=path, reason="no",
        correlation_id=f"journey-{module}",
    )  # fmt: skip


@pytest.mark.parametrize(
    "words, found",
    [
        *[("DE/MSA/04A", 0), ("DE/MSA/0B:A2", 0), ("0B:A2:3B", 0), ("0B:A2:3B:C4", 1)],
        *[("journey-tokens", 2), ("DE/MSA/L", 1), ("no", 3), ("journey-tok", 0)],
    ],
)
def test_letters_about_drivers_are_found_by_whole_words(
    vera: Client, words: str, found: int
) -> None:
    """Nobody finds out a uid letter by letter; all else is found by parts."""
    _letter("tokens", f"DE/MSA/{UID}")
    _letter("tokens", "DE/MSA/0B:A2:3B:C4?type=RFID")
    _letter("locations", "DE/MSA/L1")

    answer = vera.get("/admin/hub/deadletter/", {"q": words})

    assert answer.context["cl"].result_count == found


def test_quarantined_tokens_are_found_by_their_party(vera: Client) -> None:
    """What is wrong with them may quote them."""
    pull = PullState.objects.create(party=PartyFactory.create(role="EMSP"), module="tokens")
    Quarantined.objects.create(pull=pull, key="1", object_id=UID, text="{}", findings=f"{UID}: bad")

    counts = [
        vera.get("/admin/hub/quarantined/", {"q": words}).context["cl"].result_count
        for words in (UID[:4], str(pull.party.ref))
    ]

    assert counts == [0, 1]
