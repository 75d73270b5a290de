"""The four headers that say to which party a message goes and from which one it comes.

Specification: transport_and_format (message routing headers).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ocpi.errors import Finding, InvalidParameters
from ocpi.types import PartyRef

TO_PARTY = "OCPI-to-party-id"
TO_COUNTRY = "OCPI-to-country-code"
FROM_PARTY = "OCPI-from-party-id"
FROM_COUNTRY = "OCPI-from-country-code"

_COUNTRY_CODE = re.compile("[!-~]{2}")
_PARTY_ID = re.compile("[!-~]{3}")


@dataclass(frozen=True, slots=True)
class RoutingHeaders:
    """The receiving and the sending party of a message, as far as they are given."""

    to: PartyRef | None = None
    sender: PartyRef | None = None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Self:
        """Read both pairs, in any spelling; half a pair or an impossible one is refused."""
        given = {name.lower(): value.strip() for name, value in headers.items()}
        findings: list[Finding] = []
        to = _party(given, TO_COUNTRY, TO_PARTY, findings)
        sender = _party(given, FROM_COUNTRY, FROM_PARTY, findings)
        if findings:
            raise InvalidParameters(findings=findings)
        return cls(to, sender)

    def as_headers(self) -> dict[str, str]:
        """Spell the headers exactly as the specification does."""
        headers: dict[str, str] = {}
        if self.to:
            headers |= {TO_PARTY: self.to.party_id, TO_COUNTRY: self.to.country_code}
        if self.sender:
            headers |= {FROM_PARTY: self.sender.party_id, FROM_COUNTRY: self.sender.country_code}
        return headers

    def answered(self) -> Self:
        """Give the routing of the response: back to where the request came from."""
        return type(self)(to=self.sender, sender=self.to)


def _party(
    given: Mapping[str, str], country_header: str, party_header: str, findings: list[Finding]
) -> PartyRef | None:
    country_code = given.get(country_header.lower(), "")
    party_id = given.get(party_header.lower(), "")
    if not country_code and not party_id:
        return None
    if not _COUNTRY_CODE.fullmatch(country_code):
        findings.append(Finding(country_header, _wrong(country_code, "2")))
    if not _PARTY_ID.fullmatch(party_id):
        findings.append(Finding(party_header, _wrong(party_id, "3")))
    return PartyRef(country_code, party_id)


def _wrong(value: str, characters: str) -> str:
    return f"must have exactly {characters} characters" if value else "required, its pair is given"
