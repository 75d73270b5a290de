"""One spelling of ids in the URL of an object and in the object itself. No I/O.

Spec: 2.2.1 types, CiString: `loc1` and `LOC1` are one id. An owner may PUT to `/nl/cpa/loc1` what
says `LOC1` inside, and both go out as they came in; some receivers compare letter by letter.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain, repeat
from urllib.parse import quote, unquote

from ocpi.errors import OcpiError
from ocpi.modules import ObjectType
from ocpi.types import fold
from ocpi.validation import as_object, decode


def spelled_path(path: str, kind: ObjectType, whole_text: str, part_text: str = "") -> str:
    """Spell the steps of a path as an object, and a part of it, have them; no other step changes.

    A step is only ever replaced by the same CiString.
    """
    route, mark, query = path.partition("?")
    steps = route.split("/")
    names = _names(kind, _object(whole_text), _object(part_text), steps)
    same = (
        quote(name, safe="") if name and fold(unquote(step)) == fold(name) else step
        for step, name in zip(steps, chain(names, repeat("")), strict=False)
    )
    return "/".join(same) + mark + query


def _names(
    kind: ObjectType,
    whole_object: Mapping[str, object],
    part: Mapping[str, object],
    steps: Sequence[str],
) -> list[str]:
    """Return what the steps of a path are called: owner, object, part, part of the part."""
    said = [whole_object.get(name) for name in ("country_code", "party_id", kind.id_field)]
    holder, inner, depth = whole_object, kind.part, len(said)
    while inner is not None and depth < len(steps):
        field, is_last = inner.object.id_field, depth == len(steps) - 1
        holder = _item(holder.get(inner.member), field, steps[depth])
        if is_last and part:
            holder = part
        said.append(holder.get(field))
        inner, depth = inner.object.part, depth + 1
    return [each if isinstance(each, str) else "" for each in said]


def _item(items: object, field: str, step: str) -> Mapping[str, object]:
    """Return the part of a list that a step names; empty when there is none."""
    wanted = fold(unquote(step))
    for each in items if isinstance(items, list) else ():
        if isinstance(each, dict) and fold(str(each.get(field, ""))) == wanted:
            return each
    return {}


def _object(text: str) -> Mapping[str, object]:
    with suppress(OcpiError):
        return as_object(decode(text.encode())) if text else {}
    return {}
