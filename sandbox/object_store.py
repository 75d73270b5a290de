"""The store of the objects of one module of a simulated platform, as the exact text they came in.

Only a change of a part (PATCH, or PUT below the object) makes the platform write the text anew.
"""

import json
from collections.abc import Iterator, MutableMapping
from threading import RLock
from typing import cast

from ocpi.errors import InvalidParameters, NotJson
from ocpi.modules import ObjectType
from ocpi.types import PartyRef, fold
from sandbox.patch import Json, merge, replace, touch, unknown, walk

Key = tuple[str, ...]
"""(country code, party id, object id), in any case; then the variant, when it is not the default:
("DE", "MSA", "123", "APP_USER")."""


def read_object(body: bytes | str) -> Json:
    """Parse a JSON object; NotJson or InvalidParameters otherwise."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise NotJson(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidParameters("the body is not an object")
    return value


def write_object(value: Json) -> str:
    """Render a JSON object."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class ObjectStore(MutableMapping[Key, str]):
    """Texts by owner and id, in order of creation; ids are compared without case."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self._texts: dict[Key, str] = {}
        self._lock = RLock()

    def __getitem__(self, key: Key) -> str:
        return self._texts[_folded(key)]

    def __setitem__(self, key: Key, text: str) -> None:
        self._texts[_folded(key)] = text

    def __delitem__(self, key: Key) -> None:
        del self._texts[_folded(key)]

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._texts))

    def __len__(self) -> int:
        return len(self._texts)

    def objects(self) -> dict[str, Json]:
        """Every object, parsed, as {"NL-CPA/L1": {…}}."""
        with self._lock:
            return {
                "/".join((f"{country}-{party}", *names)): read_object(text)
                for (country, party, *names), text in self._texts.items()
            }

    def find(self, identifier: str, owner: PartyRef | None = None) -> Json | None:
        """Give the first object of this id, whoever owns it or of one owner; None without any."""
        whose = (owner.country_code, owner.party_id) if owner else None
        for key in self:
            if key[2] == fold(identifier) and whose in (None, key[:2]):
                return read_object(self[key])
        return None

    def get_text(self, owner: PartyRef, *ids: str, variant: str = "") -> str:
        """Give the text of an object, or of a part of it; raises when it is unknown."""
        with self._lock:
            text = self._texts.get(self._key(owner, ids, variant))
        if text is None:
            raise unknown(self.kind, "/".join(ids))
        return text if len(ids) == 1 else write_object(self._walk(text, ids)[-1][1])

    def put(self, owner: PartyRef, *ids: str, body: bytes | str, variant: str = "") -> bool:
        """Create or replace an object, or a part of it; True when it is new."""
        new = read_object(body)
        self._check_names(owner, ids, new, variant)
        with self._lock:
            if len(ids) == 1:
                return self._put_whole(
                    self._key(owner, ids, variant or self._variant_of(new)), body
                )
            nodes = self._walk(self.get_text(owner, ids[0]), ids[:-1])
            kind, parent = nodes[-1]
            created = replace(kind, parent, new, ids[-1])
            touch([element for _, element in nodes], new)
            self._texts[self._key(owner, ids)] = write_object(nodes[0][1])
        return created

    def patch(self, owner: PartyRef, *ids: str, body: bytes | str, variant: str = "") -> str:
        """Change members of an object, or of a part of it; return the text of the whole object."""
        patch = read_object(body)
        with self._lock:
            nodes = self._walk(self.get_text(owner, ids[0], variant=variant), ids)
            kind, target = nodes[-1]
            if kind.patch_needs_last_updated and not patch.get("last_updated"):
                raise InvalidParameters("last_updated: missing in a PATCH")
            merge(kind, target, patch)
            touch([element for _, element in nodes[:-1]], patch)
            text = self._texts[self._key(owner, ids, variant)] = write_object(nodes[0][1])
        return text

    def post(self, body: bytes | str) -> tuple[Key, bool]:
        """Create an object that never changes; return its key, and whether it is new."""
        new = read_object(body)
        names = ("country_code", "party_id", self.kind.id_field)
        missing = [name for name in names if not isinstance(new.get(name), str)]
        if missing:
            raise InvalidParameters(f"missing: {', '.join(missing)}")
        key = _folded(tuple(str(new[name]) for name in names))
        with self._lock:
            if key in self and read_object(self[key]) != new:
                raise InvalidParameters(f"{self.kind.name} {key[-1]} never changes")
            return key, key not in self and self._put_whole(key, body)

    def remove(self, owner: PartyRef, *ids: str) -> None:
        """Remove an object; raises when it is unknown."""
        with self._lock:
            if self._texts.pop(self._key(owner, ids), None) is None:
                raise unknown(self.kind, "/".join(ids))

    def _put_whole(self, key: Key, body: bytes | str) -> bool:
        created = key not in self._texts
        self._texts[key] = body if isinstance(body, str) else body.decode()
        return created

    def _walk(self, text: str, ids: tuple[str, ...]) -> list[tuple[ObjectType, Json]]:
        return walk(self.kind, read_object(text), ids[1:])

    # --- what an object is called --------------------------------------------------------------

    def _key(self, owner: PartyRef, ids: tuple[str, ...], variant: str = "") -> Key:
        usual = self.kind.variant.default if self.kind.variant else ""
        named = (variant,) if variant and variant != usual else ()
        return _folded((owner.country_code, owner.party_id, ids[0] if ids else "", *named))

    def _variant_of(self, new: Json) -> str:
        return str(new.get(self.kind.variant.member) or "") if self.kind.variant else ""

    def _check_names(self, owner: PartyRef, ids: tuple[str, ...], new: Json, variant: str) -> None:
        """Refuse an object that calls itself otherwise than its URL does."""
        kind, url = self.kind, {"country_code": owner.country_code, "party_id": owner.party_id}
        for _ in ids[1:]:
            kind, url = (kind.part.object if kind.part else kind), {}
        url[kind.id_field] = ids[-1]
        if self.kind.variant and variant:
            url[self.kind.variant.member] = variant
        wrong = [name for name in url if fold(str(new.get(name, url[name]))) != fold(url[name])]
        if wrong:
            raise InvalidParameters(f"not as in the URL: {', '.join(wrong)}")


def _folded(key: Key) -> Key:
    return cast("Key", tuple(fold(part) for part in key))
