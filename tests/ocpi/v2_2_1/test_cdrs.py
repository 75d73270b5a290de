"""What a CDR has to say beyond its table, and what it may leave out."""

import pytest

from ocpi.errors import InvalidParameters
from ocpi.types import ModuleID
from ocpi.v2_2_1.cdrs import CDR
from ocpi.validation import validate
from ocpi.versions import VERSIONS
from tests.ocpi.objects import a_cdr, a_cdr_location


@pytest.mark.parametrize("number", VERSIONS)
@pytest.mark.parametrize(
    "reference, reason",
    [
        (None, "required for a credit"),
        ("", "must be the id of another CDR"),
        ("C1", "must be the id of another CDR"),
        ("c1", "must be the id of another CDR"),
    ],
)
@pytest.mark.parametrize("auth_method", ["WHITELIST", "TOMORROW"])
def test_a_credit_names_the_cdr_it_takes_back(
    number: str, reference: str | None, reason: str, auth_method: str
) -> None:
    """A credit for nothing or for itself is refused, whatever else would be reported."""
    declared = VERSIONS[number].modules[ModuleID.CDRS].kept
    assert declared is not None
    credit = a_cdr(credit=True, credit_reference_id=reference, auth_method=auth_method)

    with pytest.raises(InvalidParameters) as wrong:
        validate(declared.model, credit)

    assert list(map(str, wrong.value.findings)) == [f"credit_reference_id: {reason}"]


def test_a_credit_without_the_field_is_refused() -> None:
    """Leaving the reference out is the same as null."""
    with pytest.raises(InvalidParameters, match=r"^credit_reference_id: required for a credit$"):
        validate(CDR, a_cdr(credit=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "C1-C", "credit": True, "credit_reference_id": "C1"},
        {"id": "C" * 39, "credit": True, "credit_reference_id": "C" * 38},
        {"credit": False},
        {"credit": None, "credit_reference_id": None},
        {"credit": False, "credit_reference_id": "C1"},
    ],
)
def test_credits_and_other_cdrs_are_accepted(changes: dict[str, object]) -> None:
    """A credit of another CDR is right, and a CDR that is no credit needs no reference."""
    assert validate(CDR, a_cdr(**changes)) == ()


@pytest.mark.parametrize(
    "changes",
    [{"evse_id": None}, {"evse_uid": "#NA", "evse_id": "#NA", "connector_id": "#NA"}],
)
def test_a_cdr_may_lack_an_evse(changes: dict[str, object]) -> None:
    """An EVSE need not have an evse_id, and a reservation that was not used has no EVSE at all."""
    assert validate(CDR, a_cdr(cdr_location=a_cdr_location(**changes))) == ()


def test_a_cdr_may_not_know_when() -> None:
    """The moment that stands for unknown is a timestamp."""
    unknown = "1970-1-1T00:00:00Z"

    assert validate(CDR, a_cdr(start_date_time=unknown, end_date_time=unknown)) == ()
