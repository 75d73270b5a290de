"""Bodies and URLs without credentials tokens and what identifies a driver, even if they are cut.

Spec: 2.2.1 credentials (token); mod_tokens, CdrToken; LOC-17. A body that is no JSON cannot be
masked, so it is not kept where it could be about a driver or have a credentials token.

A cut body cannot be parsed, and a whole one may be large: both are masked by regular expressions
over the text. Their quantifiers are possessive (`*+`), so that no text makes them backtrack.
"""

import json
import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from urllib.parse import quote, unquote

import msgspec

from hub.masking.personal import PERSONAL_MEMBERS, PUBLISHED_TO, mask_in_texts, mask_value
from hub.message_log.entry import LoggedBody

_HIDDEN = PERSONAL_MEMBERS | {"token"}
_KEPT_IF_NO_JSON = frozenset({"versions", "tariffs", "hubclientinfo", "locations"})
"""Modules of which a body is kept even if it is no JSON."""
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
"""A string of JSON, or the beginning of one where the text is cut."""
_STRINGS = re.compile(_STRING, re.DOTALL)


def _members(names: AbstractSet[str]) -> re.Pattern[str]:
    """Return a pattern of members with these names and a string or number as their value.

    It never matches inside a string: there each quote has a backslash before it.
    """
    name = "|".join(sorted(names))
    value = rf"{_STRING}|-?[0-9][^,}}\]\s]*+"
    return re.compile(rf"""("(?:{name})")(\s*+:\s*+)({value})""", re.DOTALL)


_ALL_HIDDEN = _members(_HIDDEN)
_UID = _members({"uid"})
_ALL_BUT_UID = _members(_HIDDEN - {"uid"})
"""For Locations: the uid of an EVSE identifies no driver."""
_ESCAPED = re.compile(r"\\u00(4[0-9a-fA-F]|5[0-9abd-fABD-F]|[67][0-9a-fA-F])")
"""Letters and other ASCII characters of names as escapes, `\\u0075id`; not the backslash itself."""
_BEGINS_AS_JSON = re.compile(
    rf"(?:{_STRING}|[\[\]{{}}:,\s]|-?[0-9][0-9.eE+-]*|[truefalsn]+)*+\Z", re.DOTALL
)
"""A text of nothing but tokens of JSON, for a body that is cut."""
_PUBLISHED_TO_LIST = re.compile(rf'"{PUBLISHED_TO}"\s*+:\s*+(?=\[)')
_BRACKETS = re.compile(rf"{_STRING}|[\[\]]", re.DOTALL)
"""Strings too, so that brackets inside them are not counted."""
UNPUBLISHED = "(not kept: its owner does not publish it)"
_WORD = re.compile(r"[a-z]+|[0-9]\.[0-9](?:\.[0-9])?")
"""A step of a path that is no uid: a plain word, or a version number."""
_LONGEST_PARTY = 3
"""Characters of a party id; a country code has 2."""
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

Masked = tuple[str, set[str]]
"""A text as it may be shown, and the values that were masked in it."""


def mask_body(body: LoggedBody, module: str) -> Masked:
    """Mask what was kept of a body; say so in its place if nothing may be shown."""
    text = body.text.decode(errors="replace")
    if not text:
        return "", set()
    if body.unpublished and module == "locations":
        return UNPUBLISHED, set()
    if not _is_json(body, text):
        return _if_harmless(text, body, module)
    shown, hidden = _masked_json(text, module, is_cut=body.is_cut)
    return f"{shown}{_rest(body)}", hidden


def mask_path(text: str, module: str, interface: str) -> Masked:
    """Mask the uid of a token in the path behind an endpoint.

    The values masked are the steps as they are spelled and percent-decoded, so that the uid is
    found in other texts too.
    """
    if module != "tokens":
        return text, set()
    path, mark, query = text.partition("?")
    steps = path.split("/")
    owners = 2 if interface == "RECEIVER" else 0
    hidden = {
        step
        for number, step in enumerate(steps)
        if step != "authorize" and (number >= owners or len(step) > _LONGEST_PARTY)
    }
    shown = "/".join(_masked_step(step) if step in hidden else step for step in steps)
    return f"{shown}{mark}{query}", (hidden | {unquote(step) for step in hidden}) - {""}


def mask_unknown_path(text: str) -> Masked:
    """Mask a path at which the hub has nothing: any step that is no plain word may be a uid."""
    path, mark, query = text.partition("?")
    steps = path.split("/")
    hidden = {step for step in steps if len(step) > _LONGEST_PARTY and not _WORD.fullmatch(step)}
    shown = "/".join(_masked_step(step) if step in hidden else step for step in steps)
    return f"{shown}{mark}{query}", hidden | {unquote(step) for step in hidden}


def mask_in_all(texts: Iterable[str], hidden: AbstractSet[str]) -> tuple[str, ...]:
    """Mask values wherever one of the texts quotes them."""
    return tuple(mask_in_texts(texts, hidden))


def _masked_step(step: str) -> str:
    masked = mask_value(unquote(step))
    return _ELLIPSIS.join(quote(part, safe="") for part in masked.split(_ELLIPSIS))


def _is_json(body: LoggedBody, text: str) -> bool:
    if body.is_cut:
        return _BEGINS_AS_JSON.match(text) is not None
    with suppress(ValueError, RecursionError):
        msgspec.json.decode(body.text, type=msgspec.Raw)
        return True
    return False


def _if_harmless(text: str, body: LoggedBody, module: str) -> Masked:
    if module in _KEPT_IF_NO_JSON:
        return f"{text}{_rest(body)}", set()
    return f"(not kept: {body.size:,} bytes that are no JSON)", set()


def _rest(body: LoggedBody) -> str:
    return f"\n(cut, {body.size:,} bytes in all)" if body.is_cut else ""


def _masked_json(text: str, module: str, *, is_cut: bool) -> Masked:
    plain = _with_plain_names(_without_cut_string(text) if is_cut else text)
    hidden: set[str] = set()
    if module != "locations":
        return _masked(plain, _ALL_HIDDEN, hidden), hidden
    return "".join(_published_to(_masked(plain, _ALL_BUT_UID, hidden), hidden)), hidden


def _published_to(text: str, hidden: set[str]) -> Iterator[str]:
    """Mask uids in the one list of a Location that has tokens; its other uids are of EVSEs."""
    end = 0
    while found := _PUBLISHED_TO_LIST.search(text, end):
        start, end = end, _end_of_list(text, found.end())
        yield text[start : found.end()]
        yield _masked(text[found.end() : end], _UID, hidden)
    yield text[end:]


def _end_of_list(text: str, start: int) -> int:
    """Return where the list that begins at `start` ends; the end of the text if it is cut."""
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        depth += {"[": 1, "]": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return len(text)


def _with_plain_names(text: str) -> str:
    """Undo escapes in names, so that they are recognised."""
    if "\\u00" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _masked(text: str, members: re.Pattern[str], hidden: set[str]) -> str:
    """Mask the values of members, and add them to `hidden`."""

    def masked_member(found: re.Match[str]) -> str:
        name, colon, value = found.groups()
        plain = _plain(value)
        hidden.add(plain)
        return f"{name}{colon}{json.dumps(mask_value(plain), ensure_ascii=False)}"

    return members.sub(masked_member, text)


def _without_cut_string(text: str) -> str:
    """Leave out the last string if it is cut: it may be the beginning of a uid."""
    last = None
    for last in _STRINGS.finditer(text):  # noqa: B007 - only the last match is needed
        pass
    if last is None or last.end() < len(text):
        return text
    return f'{text[: last.start()]}"{_ELLIPSIS}"'


def _plain(text: str) -> str:
    """Return the value of a JSON string or number as text."""
    if "\\" not in text:
        return text.strip('"')
    with suppress(ValueError):
        return str(json.loads(text))
    return text.strip('"')
