"""Sessions and CDRs without their driver: the same text, valid still, that names nobody.

Spec: 2.2.1 mod_cdrs, CdrToken; mod_sessions. What identifies the token becomes one fixed word, the
same for all: a pseudonym would still link the drives of one person. Signed meter
readings quote the token in an encoding of their own and are left out. All else keeps its bytes.
"""

from collections.abc import Collection

import msgspec

from hub.models.charging import ERASED
from hub.store import raw_json
from hub.store.identifier_matcher import IdentifierMatcher

TOKEN = "cdr_token"  # noqa: S105 - the member's name
_IDENTIFYING = ("uid", "contract_id", "visual_number", "group_id", "auth_id")
_SIGNED = "signed_data"
_WORD = msgspec.json.encode(ERASED)
_POINTERS = frozenset(
    {"id", "country_code", "party_id", "location_id", "evse_uid", "connector_id", "session_id"}
)
"""Members that lead to other objects: a uid that is the same by chance is not a driver's."""


def identities(text: bytes | str) -> dict[str, str]:
    """Return what the token of a Session or CDR says of its driver, by member."""
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
    """Whether a value identifies anybody; `#NA` is how OCPI says that nobody is named."""
    return value not in {"", ERASED, "#NA"}


def anonymous(text: bytes, values: Collection[str] = ()) -> bytes:
    """Return a Session or CDR, or a PATCH of one, without its driver, whom `values` name too."""
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
    """Whether an object says what is stored, or would if it were made anonymous too."""
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
    except msgspec.DecodeError:
        return raw
    return raw_json.joined(
        {name: _WORD if name in _IDENTIFYING else value for name, value in token.items()}
    )
