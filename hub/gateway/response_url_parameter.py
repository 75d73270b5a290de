"""The `response_url` in a query or body, and everything else that a lenient receiver reads as one.

Spec: 2.2.1 mod_commands, mod_charging_profiles; A-108, S-13. The hub puts its own URL in place of
the one `response_url`. Another member or parameter that reads as one, such as `Response-URL`, would
reach the receiver as the sender wrote it, and its results would bypass the hub, or go to an address
in the receiver's own network.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import unquote, unquote_plus

from ocpi.errors import Finding, InvalidParameters

RESPONSE_URL: Final = "response_url"

IN_BODY: Final = frozenset({"POST", "PUT"})
"""The methods that have it in the body; the others have it in the query."""

MOST_FINDINGS: Final = 20
"""Findings of one body that are reported: enough to show its sender what to change."""

_TWICE: Final = "reads as a response_url that is given more than once"
_ONCE: Final = (
    "it stands once, in the body of POST and PUT, else in the query, spelled response_url"
)
_LONGEST_SHOWN: Final = 80
_LETTERS_OF_NAME: Final = "responseurl"
_DECODINGS: Final = 3
"""Layers of encoding that are looked through: no receiver is known to decode a name more often."""
_ENCODED: Final = re.compile("%(?:3f|3d|26)", re.IGNORECASE)
"""What separates the parts of a query, encoded."""
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_SEPARATORS: Final = re.compile(r"[&;?#/\s]")
_OF_ADDRESSES: Final = re.compile(r"[.:/\\%@]")


@dataclass(frozen=True, slots=True)
class SplitQuery:
    """A query split around its response_url, which is decoded.

    It `is_bare` when it was not encoded although it has a query of its own.
    """

    before: str
    url: str
    after: str
    is_bare: bool = False


class _Members(list[tuple[str, object]]):
    """The members of an object in the order of its text, repeated ones included."""


def split(query: str) -> SplitQuery:
    """Split a query around its response_url, encoded or not (A-108).

    One that is not encoded and has a query of its own goes on to the end, or to a last `duration`:
    `response_url=https://a/r?x=1&y=2&duration=9`. Some libraries leave `://` as it is and encode
    only what would end a parameter, so `://` alone does not show that the rest is not encoded.
    """
    found = f"&{query}".find(f"&{RESPONSE_URL}=")
    if found < 0:
        return SplitQuery(query, "", "")
    before, rest = query[:found], query[found + len(RESPONSE_URL) + 1 :]
    value, ampersand, after = rest.partition("&")
    if "://" not in value or ("=" not in value and _ENCODED.search(value)):
        return SplitQuery(before, unquote(value), ampersand + after)
    if "?" not in value:
        return SplitQuery(before, value, ampersand + after)
    url, ampersand, after = rest.rpartition("&duration=")
    if ampersand and after.isdigit():
        return SplitQuery(before, url, ampersand + after, is_bare=True)
    return SplitQuery(before, rest, "", is_bare=True)


def is_read_as_one(name: str) -> bool:
    """Whether a receiver might read a name as `response_url`: in any case, joint or encoding.

    `Response-URL`, `responseUrl`, `response%5Furl` and `response_url[0]` are examples.
    """
    text = _decoded(name).partition("\0")[0]
    return _LETTERS_OF_NAME in {_letters(text), _letters(text.partition("[")[0])}


def others_in_body(body: bytes) -> list[Finding]:
    """Find what reads as a `response_url` in a body besides the one member of that name.

    Inside of other members it is found only if its value may be an address.
    """
    try:
        value = json.loads(body, object_pairs_hook=_Members)
    except RecursionError:
        raise InvalidParameters("the body is nested too deeply") from None
    return list(islice(_in_body(value), MOST_FINDINGS))


def others_in_query(text: str) -> list[Finding]:
    """Find what reads as a `response_url` in a path and query from which the real one was cut."""
    whole, found = text, {}
    for _ in range(_DECODINGS):
        for part in _SEPARATORS.split(whole):
            name = part.partition("=")[0]
            if is_read_as_one(name):
                found[_decoded(name)] = _finding(name)
        whole = unquote_plus(whole)
    return list(found.values())


def _in_body(value: object) -> Iterator[Finding]:
    if not isinstance(value, _Members):
        return
    of_this_name = [name for name, _ in value if name == RESPONSE_URL]
    if len(of_this_name) > 1:
        yield _finding(RESPONSE_URL)
    for name, member in value:
        if name != RESPONSE_URL and is_read_as_one(name):
            yield _finding(name)
        else:
            yield from _within(name, member)


def _within(path: str, value: object) -> Iterator[Finding]:
    """Find members inside of a member, without recursion: the depth is the sender's choice."""
    left = [(path, value)]
    while left:
        path, value = left.pop()
        if isinstance(value, _Members):
            for name, member in value:
                if is_read_as_one(name) and _may_be_address(member):
                    yield _finding(f"{path}.{name}")
                left.append((f"{path[:_LONGEST_SHOWN]}.{name}", member))
        elif isinstance(value, list):
            left += [(path, each) for each in value]


def _may_be_address(value: object) -> bool:
    return not isinstance(value, str) or bool(_OF_ADDRESSES.search(value))


def _finding(name: str) -> Finding:
    shown = name[:_LONGEST_SHOWN].encode("unicode_escape").decode()
    return Finding(shown, f"{_TWICE}; {_ONCE}")


def _decoded(name: str) -> str:
    for _ in range(_DECODINGS):
        name = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), unquote_plus(name))
    return unicodedata.normalize("NFKC", name).casefold()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
