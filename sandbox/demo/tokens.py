"""The tokens an eMSP gives its drivers, who may charge with one, and how a log shows one.

Spec: 2.2.1 mod_tokens: uid and type together name a token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from ocpi.types import PartyRef

Json = dict[str, Any]
TYPES = ("RFID", "APP_USER")
WHITELISTS = {"RFID": "ALLOWED", "APP_USER": "NEVER"}
"""Whether a CPO may let somebody charge without asking: an app asks for itself."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Whose session it is to be, and by what authority; without a token the `reason` why not."""

    token: Mapping[str, Any] | None
    method: str = "WHITELIST"
    reference: str = ""
    reason: str = ""


def by_whitelist(token: Mapping[str, Any] | None) -> Permission:
    """Let everybody charge whose token is known and valid."""
    if token is None:
        return Permission(None, reason="nobody knows the token")
    if token["valid"] is not True:
        return Permission(None, reason=f"token {masked(token['uid'])} is blocked")
    return Permission(token)


def token(index: int, party: PartyRef, updated: str, *, seed: int = 1) -> Json:
    """Make the token with this number: each driver has a card, and the same uid in the app."""
    driver = (index - 1) // len(TYPES) + 1
    kind = TYPES[(index - 1) % len(TYPES)]
    chance = Random(f"{seed}/{party}/{driver}")  # noqa: S311 - nothing here is secret
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "uid": f"04{chance.randrange(16**12):012X}",
        "type": kind,
        "contract_id": f"{party}-C{driver:08}-X",
        "visual_number": f"{party} {driver:04}",
        "issuer": f"Mobility {party}",
        "valid": True,
        "whitelist": WHITELISTS[kind],
        "language": "nl",
        "last_updated": updated,
    }


def masked(uid: str, kind: str = "") -> str:
    """Show the end of a uid only, it is personal; and the kind, when it is not an RFID card."""
    return f"****{uid[-4:]}{f' ({kind})' if kind not in ('', TYPES[0]) else ''}"
