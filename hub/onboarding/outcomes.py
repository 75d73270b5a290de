"""The outcome of an exchange of a handshake: whether what came of it could be used, whatever codes.

Spec: 2.2.1 versions; credentials. HTTP 200 and 1000 stand over bare lists, empty lists and
credentials that are a token and nothing else: the handshake fails all the same.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from hub.models import Exchange
from hub.onboarding.evidence import Facts, is_good
from ocpi.types import one_line
from parties.registration.discovery import unwrapped
from parties.registration.invitation import Initiator

_LONGEST_REASON = 500


def failure(facts: Facts, row: Exchange) -> str:
    """Return why nothing could be made of a hub's request that was answered with success.

    Empty if something could, or nothing in the log says otherwise. What the hub noted when the
    attempt failed says it best; else the answer as the log has it.
    """
    if facts.is_registered or row.direction != "out":
        return ""
    wrong = _wrong(facts, row)
    noted = facts.trouble if _is_about(facts, row) else ""
    if noted and (wrong or _ended_with(facts, row)):
        return one_line(noted.rstrip("."), longest=_LONGEST_REASON)
    return wrong


def _is_about(facts: Facts, row: Exchange) -> bool:
    """Whether the hub noted a failure after an exchange."""
    return facts.trouble_at is not None and facts.trouble_at >= row.at


def _ended_with(facts: Facts, row: Exchange) -> bool:
    """Whether an exchange was the hub's last one in an attempt, and not for another reason.

    The platform's own POST may fail for what it says itself, after the hub has read all it wanted.
    """
    attempt = [
        each
        for each in facts.exchanges
        if each.direction == "out" and each.correlation_id == row.correlation_id
    ]
    is_last = bool(attempt) and attempt[0] is row
    return is_last and (facts.starts is Initiator.HUB or len(attempt) == 1)


def _wrong(facts: Facts, row: Exchange) -> str:
    """Return what is wrong with an answer, if its log has it whole."""
    judge = _JUDGES.get((row.module, _is_first(facts, row)))
    if judge is None or not is_good(row) or not row.response_body:
        return ""
    with suppress(msgspec.DecodeError, RecursionError):
        answer = msgspec.json.decode(row.response_body)
        return judge(answer.get("data") if isinstance(answer, dict) else answer)
    return ""


def _is_first(facts: Facts, row: Exchange) -> bool:
    """Whether a request for versions is that for the list of them."""
    return row.module != "versions" or row is next(iter(facts.fetched_by_hub()), None)


def _of_versions(data: object) -> str:
    if isinstance(data, dict) and "endpoints" in data:
        return ""
    is_list = isinstance(data, list) and any(isinstance(each, dict) for each in data)
    return "" if is_list else f"a list of versions was expected, not {_described(data)}"


def _of_details(data: object) -> str:
    found = unwrapped(data)
    if isinstance(found, dict) and isinstance(found.get("endpoints"), list):
        return ""
    return f"an object with version and endpoints was expected, not {_described(data)}"


def _of_credentials(data: object) -> str:
    found = unwrapped(data)
    if not isinstance(found, dict):
        return f"a Credentials object was expected, not {_described(data)}"
    lacking = [name for name in ("token", "url", "roles") if not found.get(name)]
    return f"its Credentials object has no {' and no '.join(lacking)}" if lacking else ""


def _described(data: object) -> str:
    if isinstance(data, list):
        return f"a list of {len(data)}"
    if isinstance(data, dict):
        names = one_line(", ".join(sorted(data)), longest=100)
        return f"an object of {names}" if names else "an empty object"
    return "nothing" if data is None else one_line(repr(data), longest=60)


_JUDGES: Mapping[tuple[str, bool], Callable[[object], str]] = {
    ("versions", True): _of_versions,
    ("versions", False): _of_details,
    ("credentials", True): _of_credentials,
}
