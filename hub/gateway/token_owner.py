"""The token owner: the one party that a Session or CDR is for (A-26).

Spec: 2.2.1 mod_cdrs, CdrToken; transport and format, broadcast push. In 2.2 a CdrToken does not
name its owner; it is found among the stored Tokens by uid and type.
"""

from collections.abc import Mapping

from hub.gateway.routes import Addressee
from hub.module_policy import POLICIES
from hub.store.identity import object_key
from hub.store.reads import Viewer, owners_of
from ocpi.errors import Fault, Finding, InvalidParameters, UnknownReceiver
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from ocpi.versions import kept_type
from parties import access
from parties.epoch import Epoch
from parties.holders import ref_of
from parties.role_pairs import implements

ROLES = frozenset(
    role for role in Role if implements(role, ModuleID.TOKENS, InterfaceRole.SENDER)
) - {Role.HUB}
"""The roles that own Tokens."""
_NO_OWNER = Fault.NO_TOKEN_OWNER


def owner_of(value: Mapping[str, object], *, sender: str, epoch: Epoch | None = None) -> Addressee:
    """Return the owner of an object's `cdr_token`; `sender` is the holder of its CPO.

    Raises `InvalidParameters` when it names no token or several parties have it, `UnknownReceiver`
    when none has.
    """
    token = value.get("cdr_token")
    if not isinstance(token, Mapping):
        raise InvalidParameters(
            findings=(Finding("cdr_token", "is required: it tells for whom this is", _NO_OWNER),)
        )
    named = named_owner(token)
    if named is not None:
        return Addressee(named, roles=ROLES)
    holder = _stored_owner(token, sender, epoch)
    return Addressee(ref_of(holder), holder, roles=ROLES)


def named_owner(token: Mapping[str, object]) -> PartyRef | None:
    """Return the owner that a CdrToken names; None in 2.2, where it names none."""
    country_code, party_id = token.get("country_code"), token.get("party_id")
    if not isinstance(country_code, str) or not isinstance(party_id, str):
        return None
    try:
        return PartyRef.parse(f"{country_code}-{party_id}")
    except ValueError as error:
        raise InvalidParameters(findings=(Finding("cdr_token", str(error), _NO_OWNER),)) from None


def _stored_owner(token: Mapping[str, object], sender: str, epoch: Epoch | None) -> str:
    """Find the owner among the Tokens the sender may have."""
    uid, kind = token.get("uid"), token.get("type")
    if not isinstance(uid, str) or not uid.isprintable():
        text = "is required, as a string of printable characters"
        raise InvalidParameters(findings=(Finding("cdr_token.uid", text, _NO_OWNER),))
    key = object_key(kept_type(ModuleID.TOKENS), uid, kind if isinstance(kind, str) else None)
    owners = access.visible_owners(receiver=sender, module=ModuleID.TOKENS, epoch=epoch)
    found = owners_of(POLICIES[ModuleID.TOKENS], Viewer(sender, owners), key)
    if not found:
        raise UnknownReceiver("the hub knows no Token like cdr_token that this party may have")
    if len(found) > 1:
        several = " and ".join(str(ref_of(each)) for each in found)
        text = f"is a Token of {several}; name its country_code and party_id"
        raise InvalidParameters(findings=(Finding("cdr_token", text, _NO_OWNER),))
    return found[0]
