"""Bodies and URLs without what is secret or identifies a driver, also where they are cut.

Spec: 2.2.1 credentials (token); mod_tokens, CdrToken; LOC-17. What is no JSON
cannot be masked: it is not kept where it could be about a driver or a credentials token.
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
_HARMLESS = frozenset({"versions", "tariffs", "hubclientinfo"})
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)


def _members(names: AbstractSet[str]) -> re.Pattern[str]:
    """Find members by name: in JSON each quote inside a string has a backslash before it."""
    name = "|".join(sorted(names))
    value = rf"{_STRING}|-?[0-9][^,}}\]\s]*+"
    return re.compile(rf"""("(?:{name})")(\s*+:\s*+)({value})""", re.DOTALL)


_ALL_HIDDEN = _members(_HIDDEN)
_UID = _members({"uid"})
_BUT_UID = _members(_HIDDEN - {"uid"})
"""An EVSE has a uid, which is nobody's."""
_ESCAPED = re.compile(r"\\u00(4[0-9a-fA-F]|5[0-9abd-fABD-F]|[67][0-9a-fA-F])")
"""The characters of names, spelled otherwise; the backslash itself stays what it is."""
_BEGINS_AS_JSON = re.compile(
    rf"(?:{_STRING}|[\[\]{{}}:,\s]|-?[0-9][0-9.eE+-]*|[truefalsn]+)*+\Z", re.DOTALL
)
_PUBLISHED_TO_LIST = re.compile(rf'"{PUBLISHED_TO}"\s*+:\s*+(?=\[)')
_BRACKETS = re.compile(rf"{_STRING}|[\[\]]", re.DOTALL)
UNPUBLISHED = "(not kept: its owner does not publish it)"
_WORD = re.compile(r"[a-z]+|[0-9]\.[0-9](?:\.[0-9])?")
_LONGEST_PARTY = 3
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

Masked = tuple[str, set[str]]
"""A text as it may be shown, and the values that are hidden in it."""


def mask_body(body: LoggedBody, module: str) -> Masked:
    """Mask a body as far as it was kept."""
    text = body.text.decode(errors="replace")
    if not text:
        return "", set()
    if body.unpublished and module == "locations":
        return UNPUBLISHED, set()
    if not _is_json(body, text):
        return _no_json(text, body, module)
    shown, hidden = _masked_json(text, module, is_cut=body.is_cut)
    return f"{shown}{_rest(body)}", hidden


def mask_path(text: str, module: str, interface: str) -> Masked:
    """Mask the uid of a token in what follows an endpoint's URL; in any spelling, anywhere."""
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
    shown = "/".join(_step(step) if step in hidden else step for step in steps)
    return f"{shown}{mark}{query}", (hidden | {unquote(step) for step in hidden}) - {""}


def mask_unknown_path(text: str) -> Masked:
    """Mask a path of the hub's that leads nowhere: any step but a plain word may be a uid."""
    path, mark, query = text.partition("?")
    steps = path.split("/")
    hidden = {step for step in steps if len(step) > _LONGEST_PARTY and not _WORD.fullmatch(step)}
    shown = "/".join(_step(step) if step in hidden else step for step in steps)
    return f"{shown}{mark}{query}", hidden | {unquote(step) for step in hidden}


def mask_in_all(texts: Iterable[str], hidden: AbstractSet[str]) -> tuple[str, ...]:
    """Mask values wherever some texts quote them."""
    return tuple(mask_in_texts(texts, hidden))


def _step(step: str) -> str:
    masked = mask_value(unquote(step))
    return _ELLIPSIS.join(quote(part, safe="") for part in masked.split(_ELLIPSIS))


def _is_json(body: LoggedBody, text: str) -> bool:
    if body.is_cut:
        return _BEGINS_AS_JSON.match(text) is not None
    with suppress(ValueError, RecursionError):
        msgspec.json.decode(body.text, type=msgspec.Raw)
        return True
    return False


def _no_json(text: str, body: LoggedBody, module: str) -> Masked:
    if module in _HARMLESS | {"locations"}:
        return f"{text}{_rest(body)}", set()
    return f"(not kept: {body.size:,} bytes that are no JSON)", set()


def _rest(body: LoggedBody) -> str:
    return f"\n(cut, {body.size:,} bytes in all)" if body.is_cut else ""


def _masked_json(text: str, module: str, *, is_cut: bool) -> Masked:
    plain = _plainly_named(_without_end(text) if is_cut else text)
    hidden: set[str] = set()
    if module != "locations":
        return _masked(plain, _ALL_HIDDEN, hidden), hidden
    return "".join(_published_to(_masked(plain, _BUT_UID, hidden), hidden)), hidden


def _published_to(text: str, hidden: set[str]) -> Iterator[str]:
    """Mask uids in the one list of a Location that has those of tokens; all others are EVSEs'."""
    end = 0
    while found := _PUBLISHED_TO_LIST.search(text, end):
        start, end = end, _end_of_list(text, found.end())
        yield text[start : found.end()]
        yield _masked(text[found.end() : end], _UID, hidden)
    yield text[end:]


def _end_of_list(text: str, start: int) -> int:
    """Return where the list that begins at `start` ends, or the text where it is cut."""
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        depth += {"[": 1, "]": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return len(text)


def _plainly_named(text: str) -> str:
    if "\\u00" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _masked(text: str, members: re.Pattern[str], hidden: set[str]) -> str:
    def member(found: re.Match[str]) -> str:
        name, colon, value = found.groups()
        plain = _plain(value)
        hidden.add(plain)
        return f"{name}{colon}{json.dumps(mask_value(plain), ensure_ascii=False)}"

    return members.sub(member, text)


def _without_end(text: str) -> str:
    """Leave out a string that is cut: the beginning of a uid is not to be recognised."""
    last = None
    for last in _STRINGS.finditer(text):  # noqa: B007 - the last one counts
        pass
    if last is None or last.end() < len(text):
        return text
    return f'{text[: last.start()]}"\N{HORIZONTAL ELLIPSIS}"'


def _plain(text: str) -> str:
    if "\\" not in text:
        return text.strip('"')
    with suppress(ValueError):
        return str(json.loads(text))
    return text.strip('"')
