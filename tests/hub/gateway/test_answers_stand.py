"""What a receiver said stands, also when the hub cannot write down that it did.

The requester gets the receiver's words. A table is gone while the receiver answers; what
should be noted is not, and only the log says so.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from hub.models import Cdr, Change
from ocpi.types import PartyRef
from parties.models import Platform
from sandbox import Responder, SandboxPlatform
from sandbox.server import Call
from tests.cast import HUB, MSA, Cast, a_location, push
from tests.hub.charging_objects import post_cdr
from tests.hub.gateway.commands import NOTED, answered, emsp_and_cpo, in_envelope
from tests.ocpi.objects import a_token

pytestmark = pytest.mark.security("S-16")

Pair = tuple[SandboxPlatform, SandboxPlatform]


@contextmanager
def _vanishing(table: str, data: object = None) -> Iterator[Responder]:
    """Answer with this, or as usual, and take a table away meanwhile."""

    def respond(call: Call) -> None:
        _rename(table, f"{table}_gone")
        in_envelope(data)(call) if data else call.send(call.usual())

    try:
        yield respond
    finally:
        _rename(f"{table}_gone", table)


@contextmanager
def _changed(sql: str, back: str) -> Iterator[None]:
    """Change the database, for a while."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute(sql.encode())
        try:
            yield
        finally:
            other.execute(back.encode())


def _rename(table: str, name: str) -> None:
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute(f'ALTER TABLE IF EXISTS "{table}" RENAME TO "{name}"')


@pytest.mark.conformance("TF-54")
def test_an_object_that_cannot_be_remembered_is_accepted(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """The eMSP has it: the CPO must not think otherwise."""
    cpo, emsp = pair

    with _vanishing("hub_location") as respond, emsp.answer("PUT", respond):
        result = push(cpo, a_location(), to=MSA)

    assert result.status_code == 1000
    assert "is not remembered" in caplog.text


@pytest.mark.parametrize("table", ["hub_cdr", "hub_posting"])
def test_a_cdr_whose_place_cannot_be_remembered_is_accepted(pair: Pair, table: str) -> None:
    """It is not posted again."""
    cpo, emsp = pair

    with _vanishing(table) as respond, emsp.answer("POST", respond):
        result = post_cdr(cpo, to=MSA)

    assert result.status_code == 1000


_WITHOUT_URL = [f'ALTER TABLE hub_cdr RENAME COLUMN "{a}" TO "{b}"' for a, b in (
    ("reference", "gone"), ("gone", "reference"),
)]  # fmt: skip


@pytest.mark.parametrize("to", [MSA, None])
def test_a_cdr_is_accepted_when_its_url_cannot_be_told(pair: Pair, to: PartyRef | None) -> None:
    """Its receiver has it: an error would say that it has not."""
    cpo, _ = pair
    with _changed(*_WITHOUT_URL):
        result = post_cdr(cpo, to=to)

    assert (answered(result), result.location) == ((201, 1000), None)
    again = post_cdr(cpo, to=to)
    assert answered(again) == (200, 1000)
    assert again.location


def test_a_cdr_for_the_hub_is_stored_with_its_url_or_not_at_all(pair: Pair) -> None:
    """One statement does both: so an error means that it is to be sent again."""
    cpo, _ = pair
    with _changed(*_WITHOUT_URL):
        result = post_cdr(cpo, to=HUB)

    assert answered(result) == (200, 3000)
    assert not Cdr.objects.exists()
    again = post_cdr(cpo, to=HUB)
    assert answered(again) == (201, 1000)
    assert again.location


def test_a_command_that_was_accepted_is_accepted(cast: Cast) -> None:
    """Whoever is told otherwise starts a second session."""
    asking = emsp_and_cpo(cast)

    with _vanishing("hub_callback", NOTED) as respond, asking.asked.answer("POST", respond):
        result = asking.command("START_SESSION")

    assert (answered(result), result.data) == ((200, 1000), NOTED)


def test_what_is_odd_about_a_stored_object_is_no_condition(pair: Pair) -> None:
    """It is stored, and its receivers get it, also when nobody can note how odd it is."""
    rename = 'ALTER TABLE "{}" RENAME TO "{}"'
    table, gone = "parties_observedhabit", "parties_observedhabit_gone"
    with _changed(rename.format(table, gone), rename.format(gone, table)):
        answer = pair[1].publish("tokens", a_token(uid="0" * 60))

    assert answered(answer) == (201, 1000)
    assert Change.objects.filter(module="tokens").exists()


def test_the_state_of_a_circuit_is_no_condition(pair: Pair) -> None:
    """Nor is anything else about the platform that answered."""
    cpo, emsp = pair

    Platform.objects.filter(name="P2").update(unanswered=1)

    with _vanishing("parties_platform") as respond, emsp.answer("PUT", respond):
        result = push(cpo, a_location(), to=MSA)

    assert result.status_code == 1000
