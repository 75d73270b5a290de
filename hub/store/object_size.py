"""The size an object may reach by changes: no larger than one PUT could make it.

Each PATCH, and each PUT of a part, is as short as a body may be; without this bound many of them
make an object that no page, push or snapshot can carry.
"""

from typing import NamedTuple

from django.conf import settings

from hub.store.merge import PlannedWrite, StoredDocument
from hub.store.write_request import WriteRequest
from ocpi.errors import Finding, InvalidParameters
from ocpi.shape import MOST_ITEMS


class OtherParts(NamedTuple):
    """How many parts of an object a change leaves as they are, and how large they are."""

    number: int
    octets: int


def grows(stored: StoredDocument, write: PlannedWrite) -> bool:
    """Whether anything becomes longer; nothing else has to be checked.

    A pulled object may be larger already; it can still change as long as nothing in it grows.
    """
    before = {key: part.text for key, part in stored.parts.items() if part.current}
    return len(write.text or "") > len(stored.text) or any(
        len(row.text) > len(before.get(row.key, "")) for row in write.parts
    )


def check(
    request: WriteRequest,
    stored: StoredDocument,
    write: PlannedWrite,
    others: OtherParts,
) -> None:
    """Refuse a change that makes an object larger than a PUT of the whole may be."""
    is_wider = any(
        row.key not in stored.parts or not stored.parts[row.key].current for row in write.parts
    )
    part = request.type.part
    if part is not None and is_wider and others.number + len(write.parts) > MOST_ITEMS:
        raise _refused(part.member, f"has more than {MOST_ITEMS:,} items")
    texts = (write.text or stored.text, *(row.text for row in write.parts))
    most: int = settings.HUB_MAX_BODY_BYTES
    if others.octets + sum(len(text.encode()) for text in texts) > most:
        raise _refused("", f"the {request.type.name} would be larger than {most:,} bytes")


def _refused(path: str, text: str) -> InvalidParameters:
    hint = "PUT the whole object without what is not needed any more"
    return InvalidParameters(findings=(Finding(path, f"{text}; {hint}"),))
