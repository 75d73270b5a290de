"""Identity and age as a body says them, beside what its URL says: pure, for whoever asks.

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
    """Return what an object is looked up by beside its owner: its id, and its variant if unusual.

    Between them stands a control character, which no id contains; the variant is as a URL has it.
    """
    if kind.variant is None or variant in {None, "", kind.variant.default}:
        return fold(object_id)
    return f"{fold(object_id)}{_BEFORE_VARIANT}{quote(variant, safe='')}"


def any_variant(object_id: str) -> tuple[str, str]:
    """Return the key of an id without a variant, and how those with one begin."""
    return fold(object_id), f"{fold(object_id)}{_BEFORE_VARIANT}"


def variant_query(kind: ObjectType, key: str) -> str:
    """Return the query, with its `?`, that names the variant to a receiver; mostly none."""
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
    """Compare what a body says of its identity with the URL (TF-49, TF-50, LOC-24, TOK-04)."""
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
    """Refuse a body that says another identity than its URL; one without a variant is the usual."""
    usual = kind.variant.default if kind.variant else None
    wrong = tuple(contradictions(value, kind, owner=owner, ids=ids, variant=variant or usual))
    if wrong:
        raise InvalidParameters("; ".join(map(str, wrong)), findings=wrong)


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
