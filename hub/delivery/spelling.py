"""The spelling of ids in the URLs of what is pushed, for receivers with the quirk `one_spelling`.

A path has the letters of the object: its own text, or for a change of it what the hub holds. What
the hub does not hold any more, a DELETE of it, goes out as it came in.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.delivery import current_state
from hub.delivery.current_state import StateText
from hub.delivery.push import PartKey, Push, whole
from hub.store.spelling import spelled_path
from ocpi.versions import kept_type

if TYPE_CHECKING:
    from hub.delivery.subscriber import Subscriber


def applied(subscriber: "Subscriber", pushes: list[Push]) -> list[Push]:
    """Return the pushes as their receiver gets them."""
    if not subscriber.receiver.one_spelling:
        return pushes
    kind, lacking = kept_type(subscriber.module), {_object(push) for push in pushes}
    lacking -= {push.key for push in pushes if _is_whole(push)}
    policy, party = subscriber.policy, subscriber.party
    found = current_state.texts(policy, lacking, party=party) if lacking else {}
    return [
        replace(push, spelled=spelled_path(push.path, kind, *_texts(push, found)))
        for push in pushes
    ]


def _object(push: Push) -> PartKey:
    return whole(push.key)


def _is_whole(push: Push) -> bool:
    return push.method == "PUT" and push.path == push.object_path and push.body is not None


def _texts(push: Push, found: Mapping[PartKey, StateText]) -> tuple[str, str]:
    """Return the text of a push's object, and that of the part it puts."""
    if _is_whole(push):
        return push.body or "", ""
    text = found[_object(push)].text if _object(push) in found else ""
    return text, push.body or "" if push.method == "PUT" else ""
