"""What a body says of its identity and age, beside what its URL says: pure, for whoever asks.

Spec: 2.2.1 transport and format (Client Owned Object Push, PATCH); A-52, A-62.
"""

from collections.abc import Iterator, Mapping

from ocpi.modules import ObjectType
from ocpi.types import PartyRef, fold
from ocpi.validation import Finding


def contradictions(
    value: Mapping[str, object], kind: ObjectType, *, owner: PartyRef, ids: tuple[str, ...]
) -> Iterator[Finding]:
    """Compare what a body says of its identity with the URL (TF-49, TF-50, LOC-24)."""
    for name, wanted in _identity(kind, owner, ids).items():
        said = value.get(name, wanted)
        if not isinstance(said, str) or fold(said) != fold(wanted):
            yield Finding(name, f"is {said!r:.80} in the body but {wanted!r} in the URL")


def lacks_last_updated(value: Mapping[str, object], kind: ObjectType) -> Iterator[Finding]:
    """Find that a PATCH says not when it was made (TF-37)."""
    if kind.patch_needs_last_updated and value.get("last_updated") is None:
        yield Finding("last_updated", "a PATCH must carry it")


def _identity(kind: ObjectType, owner: PartyRef, ids: tuple[str, ...]) -> dict[str, str]:
    """Return what the URL says of the addressed object; parts carry no owner."""
    identity = {kind.id_field: ids[-1]}
    if len(ids) == 1:
        identity |= {"country_code": owner.country_code, "party_id": owner.party_id}
    return identity
