"""Identity: the key of an object, and whether a body contradicts the URL it was sent to. No I/O.

Spec: 2.2.1 transport and format (Client Owned Object Push, PATCH); mod_tokens (type); A-52, A-62,
A-99.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from ocpi.errors import InvalidParameters
from ocpi.modules import ObjectType
from ocpi.types import PartyRef, fold
from ocpi.validation import Finding

_BEFORE_VARIANT = "\x1f"


def object_key(kind: ObjectType, object_id: str, variant: str | None = None) -> str:
    """Return what an object is looked up by besides its owner.

    Its folded id; unless its variant is the default, a control character, which no id contains, and
    the variant, percent-encoded.
    """
    if kind.variant is None or variant in {None, "", kind.variant.default}:
        return fold(object_id)
    return f"{fold(object_id)}{_BEFORE_VARIANT}{quote(variant, safe='')}"


def any_variant(object_id: str) -> tuple[str, str]:
    """Return the key of an id in the default variant, and the prefix of its keys in any other."""
    return fold(object_id), f"{fold(object_id)}{_BEFORE_VARIANT}"


def variant_query(kind: ObjectType, key: str) -> str:
    """Return the query that names a key's variant, with its `?`; empty for the default."""
    _, separator, variant = key.partition(_BEFORE_VARIANT)
    if kind.variant is None or not separator:
        return ""
    return f"?{kind.variant.member}={variant}"


def contradictions(
    value: Mapping[str, object],
    kind: ObjectType,
    *,
    owner: PartyRef,
    ids: tuple[str, ...],
    variant: str | None = None,
) -> Iterator[Finding]:
    """Find members of a body that contradict the URL (TF-49, TF-50, LOC-24, TOK-04)."""
    for name, expected in _identity(kind, owner, ids).items():
        said = value.get(name, expected)
        if said != expected and not (isinstance(said, str) and fold(said) == fold(expected)):
            yield Finding(name, f"is {said!r:.80} in the body but {expected!r} in the URL")
    if kind.variant is not None and variant:
        said = value.get(kind.variant.member, variant)
        if said != variant:
            yield Finding(
                kind.variant.member, f"is {said!r:.80} in the body, {variant!r} in the URL"
            )


def check_identity(
    value: Mapping[str, object],
    kind: ObjectType,
    *,
    owner: PartyRef,
    ids: tuple[str, ...],
    variant: str | None,
) -> None:
    """Refuse a body that contradicts its URL; a URL without a variant means the default."""
    default = kind.variant.default if kind.variant else None
    wrong = tuple(contradictions(value, kind, owner=owner, ids=ids, variant=variant or default))
    if wrong:
        raise InvalidParameters("; ".join(map(str, wrong)), findings=wrong)


def lacks_last_updated(value: Mapping[str, object], kind: ObjectType) -> Iterator[Finding]:
    """Find that a PATCH lacks the `last_updated` it needs (TF-37)."""
    if kind.patch_needs_last_updated and value.get("last_updated") is None:
        yield Finding("last_updated", "a PATCH must carry it")


def _identity(kind: ObjectType, owner: PartyRef, ids: tuple[str, ...]) -> dict[str, str]:
    """Return the members that the URL implies; an EVSE or Connector has no owner in its body."""
    identity = {kind.id_field: ids[-1]}
    if len(ids) == 1:
        identity |= {"country_code": owner.country_code, "party_id": owner.party_id}
    return identity
