"""POSTs in flight, one per object: the same POST sent meanwhile waits, and gets the same answer.

Spec: 2.2.1 mod_cdrs (POST); A-96. Once an object is stored, a repeated POST is recognised
by its content (`hub.store.repeat_post`); this is about the time before. A claim is a row that
one conditional statement takes for all processes; no connection is held for it, and the claim of a
process that died runs out. Example: the hub forwards a CDR, and its impatient sender repeats the
POST: the second waits for the first one's answer instead of sending the CDR twice.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from database import sql
from hub.gateway import bulkhead
from hub.gateway import sql as statements
from hub.gateway.http import Answer
from hub.gateway.steps import in_thread, waiting
from hub.models import Posting
from hub.store import WriteRequest
from hub.store.items import digest
from ocpi.errors import OcpiError, ReceiverTimeout, error_for

MOST_ANSWER_BYTES = 65_536
"""Longest answer that is kept for those who wait; beyond it each has a try of its own."""
_MARGIN_SECONDS = 10
"""How much longer than a request to a peer a claim lasts: the time for the database."""
_PAUSES = (0.02, 0.05, 0.1)
"""Seconds between looks at the claim; the last one repeats."""

Post = Callable[[], Coroutine[Any, Any, Answer]]
Identity = tuple[str, str, str]
"""Owner, key and audience of an object."""


async def post_once(request: WriteRequest, platform_id: int, post: Post) -> Answer:
    """Call `post` in a thread, unless the same POST is in flight: wait for it, return its answer.

    Raises `ReceiverTimeout` when that takes too long: it may be sent again.
    """
    awaited: UUID | None = None
    async with aclosing(_attempts(platform_id)) as attempts:
        async for _ in attempts:
            row = _rows(request).first()
            if row is not None and _is_open(row):
                awaited = row.claim
                continue
            # Only an answer it waited for: one that was there before may be of an older POST.
            if row is not None and row.claim == awaited and _is_same(row, request):
                return _recorded_answer(row)
            claim = _take_claim(request)
            if claim is not None:
                break
        else:
            what = f"{request.type.name} {request.ids[0]!r}"
            raise ReceiverTimeout(
                f"{what} is on its way, and no answer is there yet: send it again"
            )
    return await _post_and_record(claim, post)


def under_way(keys: Collection[Identity]) -> set[Identity]:
    """Return which of some objects are being posted at present."""
    owners, object_keys = {key[0] for key in keys}, {key[1] for key in keys}
    open_ones = Posting.objects.filter(http_status=None, until__gt=timezone.now())
    found = open_ones.filter(owner__in=owners, object_key__in=object_keys)
    return set(found.values_list("owner", "object_key", "audience")).intersection(keys)


def forget_expired() -> int:
    """Delete claims that ran out; returns how many."""
    return Posting.objects.filter(until__lte=timezone.now()).delete()[0]


async def _attempts(platform_id: int) -> AsyncGenerator[None]:
    """Yield at once, then after each pause, as long as the first POST may still be answered.

    A bulkhead bounds how many of one sender's messages wait so.
    """
    yield
    end = time.monotonic() + settings.HUB_REQUEST_TIMEOUT + _PAUSES[-1]
    most, in_all = max(1, settings.HUB_WEB_THREADS // 2), settings.HUB_WEB_CONNECTIONS // 2
    # A negative id, because the positive ones count the messages that wait for a platform's answer.
    with bulkhead.slot(-platform_id, most=most, in_all=in_all):
        pauses = iter(_PAUSES)
        while time.monotonic() < end:
            await waiting(partial(asyncio.sleep, next(pauses, _PAUSES[-1])))
            await in_thread()
            yield


def _take_claim(request: WriteRequest) -> UUID | None:
    """Take the claim; None when another process was faster."""
    claim = uuid4()
    lease = timedelta(seconds=settings.HUB_REQUEST_TIMEOUT + _MARGIN_SECONDS)
    post = {"digest": digest(request.body), "claim": claim, "lease": lease}
    return claim if sql.row(statements.CLAIM, _identity(request) | post) is not None else None


async def _post_and_record(claim: UUID, post: Post) -> Answer:
    """Call `post`, and leave its answer in the row of the claim for those who wait."""
    mine = Posting.objects.filter(claim=claim)
    try:
        answer = await post()
    except OcpiError as error:
        await in_thread()
        codes = {"http_status": error.http_status, "status_code": error.status_code}
        with sql.best_effort("the answer to a POST"):
            mine.update(**codes, body=str(error).encode())
        raise
    except Exception:
        await in_thread()
        with sql.best_effort("the end of a POST"):
            mine.delete()
        raise
    await in_thread()
    with sql.best_effort("the answer to a POST"):
        if len(answer.body) > MOST_ANSWER_BYTES:
            mine.delete()
        else:
            headers = dict(answer.headers)
            mine.update(http_status=answer.http_status, headers=headers, body=answer.body)
    return answer


def _recorded_answer(row: Posting) -> Answer:
    """Return the answer of the POST that was waited for, or raise the same error."""
    body = bytes(row.body or b"")
    if row.status_code is not None:
        error = error_for(row.status_code, body.decode())
        error.http_status = row.http_status or error.http_status
        raise error
    return Answer(body, row.http_status or 200, row.headers)


def _is_open(row: Posting) -> bool:
    return row.http_status is None and row.until > timezone.now()


def _is_same(row: Posting, request: WriteRequest) -> bool:
    return row.http_status is not None and bytes(row.digest) == digest(request.body)


def _rows(request: WriteRequest) -> QuerySet[Posting]:
    identity = _identity(request)
    return Posting.objects.filter(
        owner=identity["owner"], object_key=identity["key"], audience=identity["audience"]
    )


def _identity(request: WriteRequest) -> dict[str, str]:
    return {
        "owner": request.holder,
        "key": request.key,
        "audience": request.audience,
    }
