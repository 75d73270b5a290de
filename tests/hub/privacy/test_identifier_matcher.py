"""A driver's ids in texts: found in every spelling, in time that grows with the text alone."""

import json
import time

import pytest

from hub.store.anonymity import anonymous, is_same
from hub.store.identifier_matcher import IdentifierMatcher
from tests.ocpi.objects import a_cdr, a_session

pytestmark = pytest.mark.security("S-25")
UID = "04A2B7C9D1E3"


@pytest.mark.parametrize(
    "text",
    [
        f"card {UID} is blocked",
        f"card {UID.lower()}",
        f"/tokens/DE/MSA/{UID}?type=RFID",
        f"https://e.example/%30{UID[1:]}/x",
        f'{{"uid":"\\u0030{UID[1:]}"}}',
        f'{{"inner":"{{\\"uid\\":\\"{UID}\\"}}"}}',
        f"x{UID}y",
    ],
)
def test_a_value_is_found_however_it_is_spelled(text: str) -> None:
    """By case, percents, escapes, and inside other texts."""
    shown = IdentifierMatcher([UID]).erased(text)
    assert "ERASED" in shown
    assert UID[1:].upper() not in shown.upper()


def test_a_short_value_counts_where_it_stands_alone() -> None:
    """Four characters of a longer number are nobody's; fewer are not looked for at all."""
    matcher = IdentifierMatcher(["1234", "12"])
    assert matcher.erased("1234, 51234, 12345, 12") == "ERASED, 51234, 12345, 12"
    assert IdentifierMatcher([]).erased("as it is") == "as it is"


@pytest.mark.parametrize("piece", ['\\"', '"\\', "%41", "a", '{"', UID[:-1], "\\u0030"])
def test_searching_costs_no_more_than_the_text_is_long(piece: str) -> None:
    """Four times the text takes about four times as long, whatever it is made of."""
    matcher = IdentifierMatcher([UID])

    def seconds(number: int) -> float:
        text = f'"{piece * number}'
        started = time.process_time()
        for _ in range(3):
            matcher.erased(text)
        return time.process_time() - started

    seconds(1_000)
    small, large = seconds(20_000), seconds(80_000)
    assert large < 12 * small + 0.2


def test_other_bytes_of_an_object_stay() -> None:
    """Lexemes of numbers, unknown members and their order are their owner's."""
    text = b'{"x_new": [1.50, 1e3],"cdr_token":{"uid":"1","x":2,"contract_id":"C"},"kwh":7.0}'
    assert anonymous(text) == (
        b'{"x_new":[1.50, 1e3],"cdr_token":{"uid":"ERASED","x":2,"contract_id":"ERASED"},"kwh":7.0}'
    )


def test_an_anonymous_object_is_known_again() -> None:
    """What it would be without its driver is the same, anything else is another."""
    cdr = json.dumps(a_cdr()).encode()
    assert is_same(anonymous(cdr), cdr)
    assert anonymous(anonymous(cdr)) == anonymous(cdr)
    assert not is_same(anonymous(cdr), json.dumps(a_cdr(total_energy=1)).encode())
    session = json.dumps(a_session()).encode()
    assert is_same(session, session)
    assert not is_same(session, anonymous(session))
