"""Anonymous Sessions and CDRs: the same text, still valid, without its driver.

Spec: 2.2.1 mod_cdrs, CdrToken; mod_sessions. What identifies the driver becomes one fixed word,
also where a remark or another member repeats it: a pseudonym per driver would still link the trips
of one person. Signed meter readings contain the token in encodings of their own and are removed.
Everything else keeps its bytes.
"""

from collections.abc import Collection

import msgspec

from hub.models.charging import ERASED
from hub.store import raw_json
from hub.store.identifier_matcher import IdentifierMatcher

TOKEN = "cdr_token"  # noqa: S105 - the member's name
# The last three are in no CdrToken of 2.2.1; some platforms send them all the same.
_IDENTIFYING = ("uid", "contract_id", "visual_number", "group_id", "auth_id")
_SIGNED = "signed_data"
_WORD = msgspec.json.encode(ERASED)
_POINTERS = frozenset(
    {"id", "country_code", "party_id", "location_id", "evse_uid", "connector_id", "session_id"}
)
"""Members of the object itself that name it or another one: they stay what they are, also if one
equals a driver's uid by chance."""


def identities(text: bytes | str) -> dict[str, str]:
    """Return the members of a `cdr_token` that identify the driver.

    Empty when there are none, or no object with a `cdr_token`.
    """
    try:
        token = msgspec.json.decode(text).get(TOKEN)
    except (msgspec.DecodeError, AttributeError):
        return {}
    found = token if isinstance(token, dict) else {}
    said = {name: found.get(name) for name in _IDENTIFYING}
    return {
        name: value
        for name, value in said.items()
        if isinstance(value, str) and is_identifying(value)
    }


def is_identifying(value: str) -> bool:
    """Whether a value identifies anybody; `#NA` is OCPI's "no data available"."""
    return value not in {"", ERASED, "#NA"}


def anonymous(text: bytes, values: Collection[str] = ()) -> bytes:
    """Return a Session or CDR, or a PATCH of one, without its driver.

    `values` are further identifiers of the same driver, as those of the stored object are for a
    PATCH that has no `cdr_token`.
    """
    parts = raw_json.members(text)
    parts.pop(_SIGNED, None)
    if TOKEN in parts:
        parts[TOKEN] = _without_driver(parts[TOKEN])
    matcher = IdentifierMatcher([*values, *identities(text).values()])
    return raw_json.joined(
        {
            name: raw if name in _POINTERS else matcher.erased(raw.decode()).encode()
            for name, raw in parts.items()
        }
    )


def is_same(stored: bytes | str, new: bytes) -> bool:
    """Whether an object equals the stored one, or the anonymous form of it does.

    A CPO may send a CDR again whose driver was erased here meanwhile.
    """
    known = msgspec.json.decode(stored)
    if known == msgspec.json.decode(new):
        return True
    return is_anonymous(known) and known == msgspec.json.decode(anonymous(new))


def is_anonymous(value: object) -> bool:
    """Whether a decoded object was made anonymous."""
    token = value.get(TOKEN) if isinstance(value, dict) else None
    return isinstance(token, dict) and token.get("uid") == ERASED


def _without_driver(raw: bytes) -> bytes:
    try:
        token = raw_json.members(raw)
    except msgspec.DecodeError:  # `null` in a PATCH: it names nobody
        return raw
    return raw_json.joined(
        {name: _WORD if name in _IDENTIFYING else value for name, value in token.items()}
    )
