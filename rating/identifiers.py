"""Identifiers, as parties compare them: a CiString in upper case, a party with its country."""

from collections.abc import Mapping
from typing import Any


def folded(value: object) -> str:
    """Give the spelling under which two equal CiStrings are the same."""
    return "" if value is None else str(value).upper()


def party(members: Mapping[str, Any]) -> str:
    """Return the owner of an object, `NL-CPA`; empty where the object does not say, as in 2.1.1."""
    if not members.get("country_code") or not members.get("party_id"):
        return ""
    return folded(f"{members['country_code']}-{members['party_id']}")
