"""Data that should be a list and are something else: what other software makes of one.

Spec: 2.2.1 transport and format, response format, data: of a list request an array.
"""

import msgspec

from hub.store import raw_json
from ocpi.modules import ObjectType

_LIST, _OBJECT, _STRING = b"[", b"{", b'"'


def is_list(data: bytes | None) -> bool:
    """Whether data are what a list has: a JSON array, or nothing."""
    return data is None or data[:1] == _LIST


def has_more(data: bytes, most: int) -> bool:
    """Whether an array or object has more than `most` items or members, in little memory."""
    if data[:1] == _OBJECT:
        data = b"[%b]" % data[1:-1]
    return raw_json.has_more(data, most)


def items(data: bytes | None, kind: ObjectType) -> list[bytes]:
    """Return the objects of a list, in whatever form; raises `msgspec.DecodeError` if it is none.

    That may be one object by itself that says whose it is, numbered members, a list in a member of
    its own, or JSON written as a string.
    """
    if data is not None and data[:1] == _STRING:
        data = msgspec.json.decode(data, type=str).strip().encode()
    if data is None or data[:1] != _OBJECT:
        return raw_json.items(data)
    members = raw_json.members(data)
    if members.keys() >= {"country_code", "party_id", kind.id_field}:
        return [data]
    if all(name.isdecimal() for name in members):
        return list(members.values())
    [inner] = [each for each in members.values() if each[:1] == _LIST] or [data]
    return raw_json.items(inner)
