"""The Authorization header, written by us and by everybody else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.transport.authorization import TokenForm, candidates, header

TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)
RAW, BASE64 = TokenForm.RAW, TokenForm.BASE64


@given(TOKENS)
def test_a_token_is_read_as_it_was_written(token: str) -> None:
    """The encoded token is the first guess, the bare one is always among the guesses."""
    assert candidates(header(token))[0] == (token, BASE64)
    assert (token, RAW) in candidates(header(token, base64=False))


@given(st.text())
def test_no_header_is_too_odd_to_be_read(value: str) -> None:
    """Whatever stands in the header, reading it never fails."""
    assert len(candidates(value)) <= 2
    assert len(candidates(f"Token {value}")) <= 2


def test_the_token_is_written_in_padded_base64() -> None:
    """The scheme, one space, and the token in Base64 with its padding."""
    assert header("example-token") == "Token ZXhhbXBsZS10b2tlbg=="
    assert header("example-token", base64=False) == "Token example-token"


def test_the_example_of_the_specification_is_understood() -> None:
    """The specification's example encodes a line end, which is not part of the token."""
    assert candidates("Token ZXhhbXBsZS10b2tlbgo=")[0] == ("example-token", BASE64)


@pytest.mark.parametrize(
    "value",
    [
        "token ZXhhbXBsZS10b2tlbg==",
        "TOKEN   ZXhhbXBsZS10b2tlbg==",
        " Token\tZXhhbXBsZS10b2tlbg== ",
        "Token ZXhhbXBsZS10b2tlbg",
        "Token ZXhhbXBsZS10b2tlbg=",
        "Token ZXhhbXBsZS10b2tlbgo=",
        "Token ZXhhbXBsZS10b2tlbg0K",
    ],
)
def test_variants_mean_the_same_token(value: str) -> None:
    """Case of the scheme, spaces, padding and an encoded line end do not matter."""
    assert candidates(value)[0] == ("example-token", BASE64)


def test_the_url_safe_alphabet_is_understood() -> None:
    """Minus and underscore stand for plus and slash."""
    token = "a>b?c>d?~~~"
    written = base64.urlsafe_b64encode(token.encode()).decode()
    assert set("-_") & set(written)

    assert candidates(f"Token {written}")[0] == (token, BASE64)


def test_a_bare_token_is_understood() -> None:
    """What does not decode to a token is the token itself."""
    assert candidates("Token example-token") == (("example-token", RAW),)
    assert candidates("Token //79") == (("//79", RAW),)


def test_a_bare_token_that_looks_encoded_is_offered_both_ways() -> None:
    """Only whoever knows the tokens knows which one was meant."""
    assert candidates("Token YWJjZGVm") == (("abcdef", BASE64), ("YWJjZGVm", RAW))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Token",
        "Token ",
        "example-token",
        "Bearer ZXhhbXBsZS10b2tlbg==",
        "Basic ZXhhbXBsZS10b2tlbg==",
        "Token two words",
        "Token café",
        "Token " + "a" * 2000,
    ],
)
def test_a_header_without_a_token_gives_none(value: str | None) -> None:
    """Other schemes, and values that cannot be a token, authenticate nobody."""
    assert candidates(value) == ()
