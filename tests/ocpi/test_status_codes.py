"""The status codes and the errors that carry them, against the tables of the specification."""

import pytest

from ocpi import errors
from ocpi.errors import Finding, InvalidParameters, OcpiError, error_for
from ocpi.status_codes import StatusCode, is_success

CODES = [
    *(1000, 2000, 2001, 2002, 2003, 2004),
    *(3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003),
]
ERRORS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, OcpiError)
]


def test_the_codes_are_those_of_the_specification() -> None:
    """OCPI 2.2.1 defines these status codes and no others."""
    assert list(StatusCode) == CODES


@pytest.mark.parametrize("code", StatusCode)
def test_every_code_explains_itself(code: StatusCode) -> None:
    """An operator reads a sentence, not a number."""
    assert code.description
    assert StatusCode(int(code)) is code


@pytest.mark.parametrize(
    "code, success", [(1000, True), (1999, True), (999, False), (2000, False), (-1, False)]
)
def test_success_is_the_range_of_one_thousand(code: int, success: bool) -> None:  # noqa: FBT001
    """1xxx means success, the custom range 19xx included."""
    assert success == is_success(code)


@pytest.mark.parametrize("code", [code for code in CODES if code != 1000])
def test_an_error_received_is_the_error_it_was(code: int) -> None:
    """A status code of the specification becomes the error that carries it."""
    error = error_for(code, "because")

    assert code == error.status_code
    assert str(error) == "because"
    assert error.http_status == 200


@pytest.mark.parametrize(
    "code, generic",
    [
        (2999, errors.ClientError),
        (3901, errors.ServerError),
        (4901, errors.HubError),
        (5000, errors.ServerError),
        (0, errors.ServerError),
        (1000, errors.ServerError),
    ],
)
def test_an_unknown_code_is_the_error_of_its_range(code: int, generic: type[OcpiError]) -> None:
    """Custom codes are understood by their range, impossible ones are the server's fault."""
    assert type(error_for(code, "")) is generic


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_says_something(error: type[OcpiError]) -> None:
    """An error raised without a message has the meaning of its status code."""
    assert str(error())
    assert error("it was me", http_status=418).http_status == 418


@pytest.mark.parametrize(
    "error, status",
    [
        (errors.NotJson, 400),
        (errors.Unauthenticated, 401),
        (errors.NotFound, 404),
        (errors.MethodNotAllowed, 405),
        (errors.BodyTooLarge, 413),
    ],
)
def test_what_never_reached_ocpi_has_an_http_status(error: type[OcpiError], status: int) -> None:
    """Only errors before the OCPI layer travel as HTTP errors."""
    assert status == error().http_status
    assert [e for e in ERRORS if e.http_status == status] == [error]


def test_findings_are_told_up_to_a_limit() -> None:
    """A message names the wrong fields, and counts those it has no room for."""
    findings = [Finding(f"evses[{n}].uid", "required") for n in range(23)]

    error = InvalidParameters(findings=findings)

    assert str(error).startswith("evses[0].uid: required; evses[1].uid: required; ")
    assert str(error).endswith("evses[19].uid: required; and 3 more")
    assert len(error.findings) == 23


def test_a_finding_about_the_whole_object_has_no_path() -> None:
    """Without a path, a finding is its text."""
    assert str(Finding("", "must be an object, not a list")) == "must be an object, not a list"


def test_a_refused_method_names_the_allowed_ones() -> None:
    """Whoever uses a wrong method learns which ones there are."""
    error = errors.MethodNotAllowed(allowed=("GET", "PUT"))

    assert error.allowed == ("GET", "PUT")
    assert str(error) == "method not allowed here; allowed: GET, PUT"
