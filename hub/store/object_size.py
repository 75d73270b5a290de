"""The size an object may reach by changes: no larger than one PUT could make it.

Each PATCH, and each PUT of a part, is as short as a body may be; without this bound many of them
make an object that no page, push or snapshot can carry.
"""

from django.conf import settings

from database import sql
from hub.store.merge import PlannedWrite, StoredDocument
from hub.store.sql import reads as statements
from hub.store.write_request import WriteRequest
from ocpi.errors import Finding, InvalidParameters
from ocpi.shape import MOST_ITEMS


def check(request: WriteRequest, stored: StoredDocument, write: PlannedWrite) -> None:
    """Refuse a change that makes an object larger than a PUT of the whole may be.

    A pulled object may be larger already; it can still change as long as nothing in it grows.
    """
    before = {key: part.text for key, part in stored.parts.items() if part.current}
    grows = len(write.text or "") > len(stored.text) or any(
        len(row.text) > len(before.get(row.key, "")) for row in write.parts
    )
    if not grows:
        return
    number, octets = _others(request, stored, write)
    is_wider = any(row.key not in before for row in write.parts)
    part = request.type.part
    if part is not None and is_wider and number + len(write.parts) > MOST_ITEMS:
        raise _refused(part.member, f"has more than {MOST_ITEMS:,} items")
    texts = (write.text or stored.text, *(row.text for row in write.parts))
    most: int = settings.HUB_MAX_BODY_BYTES
    if octets + sum(len(text.encode()) for text in texts) > most:
        raise _refused("", f"the {request.type.name} would be larger than {most:,} bytes")


def _others(request: WriteRequest, stored: StoredDocument, write: PlannedWrite) -> tuple[int, int]:
    """Return the number of parts that a change leaves as they are, and their octets."""
    if request.policy.part_model is None:
        return 0, 0
    query = {"seq": stored.seq, "keys": [row.key for row in write.parts]}
    return sql.row(statements.other_parts(request.policy), query) or (0, 0)


def _refused(path: str, text: str) -> InvalidParameters:
    hint = "PUT the whole object without what is not needed any more"
    return InvalidParameters(findings=(Finding(path, f"{text}; {hint}"),))
