"""The routing headers, in every spelling."""

import pytest

from ocpi.errors import InvalidParameters
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef

CPA, MSA = PartyRef("NL", "CPA"), PartyRef("DE", "MSA")


def test_the_headers_are_read_in_any_spelling() -> None:
    """Names of headers and codes of parties are case-insensitive."""
    headers = {
        "ocpi-TO-party-id": "msa",
        "OCPI-To-Country-Code": " de ",
        "Ocpi-From-Party-Id": "Cpa",
        "ocpi-from-country-code": "nl",
        "Content-Type": "application/json",
    }

    assert RoutingHeaders.read(headers) == RoutingHeaders(to=MSA, sender=CPA)


def test_headers_may_be_missing() -> None:
    """Without headers there is no receiver and no sender; empty ones are none."""
    assert RoutingHeaders.read({}) == RoutingHeaders(to=None, sender=None)
    assert RoutingHeaders.read({"OCPI-to-party-id": ""}) == RoutingHeaders(to=None, sender=None)


@pytest.mark.parametrize(
    "header, missing",
    [
        ("OCPI-to-party-id", "OCPI-to-country-code"),
        ("OCPI-to-country-code", "OCPI-to-party-id"),
        ("OCPI-from-party-id", "OCPI-from-country-code"),
        ("OCPI-from-country-code", "OCPI-from-party-id"),
    ],
)
def test_half_a_pair_is_refused(header: str, missing: str) -> None:
    """A party id without its country code, or the other way round, addresses nobody."""
    value = "NL" if "country" in header else "CPA"

    with pytest.raises(InvalidParameters, match=f"^{missing}: required, its pair is given$"):
        RoutingHeaders.read({header: value})


def test_impossible_parties_are_refused() -> None:
    """Both codes have a fixed length, and every wrong one is named."""
    headers = {
        "OCPI-to-party-id": "MSAX",
        "OCPI-to-country-code": "D",
        "OCPI-from-party-id": "C A",
        "OCPI-from-country-code": "NL",
    }

    with pytest.raises(InvalidParameters) as wrong:
        RoutingHeaders.read(headers)

    assert [finding.path for finding in wrong.value.findings] == [
        "OCPI-to-country-code",
        "OCPI-to-party-id",
        "OCPI-from-party-id",
    ]


def test_the_headers_are_written_as_the_specification_spells_them() -> None:
    """Some peers compare the names of headers exactly."""
    assert RoutingHeaders(to=MSA, sender=CPA).as_headers() == {
        "OCPI-to-party-id": "MSA",
        "OCPI-to-country-code": "DE",
        "OCPI-from-party-id": "CPA",
        "OCPI-from-country-code": "NL",
    }
    assert RoutingHeaders().as_headers() == {}


def test_an_answer_goes_back() -> None:
    """The receiver of a request is the sender of its response."""
    assert RoutingHeaders(to=MSA, sender=CPA).answered() == RoutingHeaders(to=CPA, sender=MSA)
