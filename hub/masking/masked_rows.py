"""Masked rows: dead letters and quarantined objects as every page and command shows them.

Spec: 2.2.1 mod_tokens, CdrToken; LOC-17. Masked are the object's text, the reason or findings that
quote it, and a path or id that is a token's uid.
"""

import re
from urllib.parse import unquote

from hub.masking.personal import (
    PUBLISHED_TO,
    mask_in_text,
    mask_json,
    mask_member,
    mask_value,
    personal_values,
)
from hub.models import DeadLetter, Quarantined
from hub.module_policy import ABOUT_DRIVERS
from ocpi.types import ModuleID

_TOKEN = re.compile(r"(?<=/)[^/?]+(?=\?|$)")
"""The uid in the path of a token: the last segment, before a query with its type."""


def masked_dead_letter(row: DeadLetter) -> DeadLetter:
    """Mask a dead letter in place: tokens in its path, body and the receiver's reason.

    Of a Location, who may see it where it is not for everybody.
    """
    if row.subscription.module not in ABOUT_DRIVERS:
        row.body = row.body and mask_member(row.body.encode(), PUBLISHED_TO).decode()
        return row
    known = personal_values(row.body.encode()) if row.body else set()
    if row.subscription.module == ModuleID.TOKENS:
        known |= {unquote(uid) for uid in _TOKEN.findall(row.path)}
        row.path = _TOKEN.sub(lambda found: mask_value(unquote(found[0])), row.path)
    row.path, row.reason = mask_in_text(row.path, known), mask_in_text(row.reason, known)
    row.body = row.body and mask_json(row.body.encode()).decode()
    return row


def masked_object(row: Quarantined) -> Quarantined:
    """Mask a quarantined object in place: what identifies a driver in its text, id and findings."""
    text = row.text.encode()
    if row.pull.module not in ABOUT_DRIVERS:
        row.text = mask_member(text, PUBLISHED_TO).decode()
        return row
    known = personal_values(text)
    if row.pull.module == ModuleID.TOKENS and not _is_place(row):
        known |= {row.object_id}
        row.object_id = mask_value(row.object_id)
    row.text, row.findings = mask_json(text).decode(), mask_in_text(row.findings, known)
    return row


def _is_place(row: Quarantined) -> bool:
    """Whether an object without id is shown by its place in the list, like #17."""
    is_nameless = "/" not in row.key or "/?" in row.key
    return is_nameless and row.object_id.startswith("#")
