"""A receiver: where to push, how many pushes at a time, and what each answer means.

Spec: 2.2.1 status codes; transport and format, broadcast push (headers).
"""

import asyncio
import errno
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from django.conf import settings
from yarl import URL

from hub.delivery.push import SETTLED, Outcome, PartKey, Push, Result
from ocpi import client
from ocpi.status_codes import is_success
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.routing_headers import RoutingHeaders

_HTTP_ERROR = 400
_SERVER_ERROR = 500
_OCPI_SERVER_ERROR = 3000
# Characters of a status message or error that a receipt or dead letter keeps.
_LONGEST_WORDS = 500
_NOTHING_PASSES = (client.PeerUnreachable, client.AddressRefused)
_BROKEN_OFF = {errno.ECONNRESET, errno.EPIPE}
# How platforms answer a DELETE of what they do not have: by HTTP status, or by OCPI's codes.
_NOT_FOUND = {404, 410}
_UNKNOWN_THERE = {2001, 2003}

_Origin = tuple[str, str, int | None]
_semaphores: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[_Origin, int], asyncio.Semaphore]
] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where and as whom to push: an endpoint, the hub's token there, the routing headers.

    One that is `strict` gets no objects that break the tables, but Sessions and CDRs as they are.
    """

    endpoint: str
    peer: client.Peer
    routing: RoutingHeaders
    patch_supported: bool
    one_spelling: bool = False
    strict: bool = False
    headers: Mapping[str, str] = field(init=False, compare=False)
    """The routing headers, spelled once: every message has them."""

    def __post_init__(self) -> None:
        """Spell the headers."""
        object.__setattr__(self, "headers", self.routing.as_headers())


def send_all(receiver: Receiver, pushes: Sequence[Push], *, seconds: float) -> list[Result]:
    """Push all, and leave the rest unsent when no message passes or the time is up.

    Of pushes with the same key one goes out only once the one before is settled.
    """
    return client.shared().run(_send_all(client.shared(), receiver, pushes, seconds))


async def send_soon(receiver: Receiver, pushes: Sequence[Push], *, seconds: float) -> list[Result]:
    """Push all as `send_all` does, for a coroutine of another loop than the client's."""
    shared = client.shared()
    sending = shared.submit(_send_all(shared, receiver, pushes, seconds))
    return await asyncio.wrap_future(sending)


async def _send_all(
    shared: client.OcpiClient, receiver: Receiver, pushes: Sequence[Push], seconds: float
) -> list[Result]:
    by_key: dict[PartKey, list[Push]] = defaultdict(list)
    for push in pushes:
        by_key[push.key].append(push)
    end = asyncio.get_running_loop().time() + seconds
    parallel = min(settings.HUB_REQUESTS_PER_PEER, len(by_key))
    semaphore = _semaphore(receiver.endpoint)
    sending = _Sending(shared, receiver, semaphore, iter(by_key.values()), parallel, end)
    workers = (sending.work() for _ in range(parallel))
    for ended in await asyncio.gather(*workers, return_exceptions=True):
        if isinstance(ended, BaseException) and not isinstance(ended, TimeoutError):
            raise ended
    return sending.results


@dataclass(slots=True)
class _Sending:
    """What the workers of one batch share."""

    shared: client.OcpiClient
    receiver: Receiver
    semaphore: asyncio.Semaphore
    sequences: Iterator[list[Push]]
    parallel: int
    end: float
    results: list[Result] = field(default_factory=list)
    all_settled: bool = True

    async def work(self) -> None:
        """Send one sequence after the other, each as far as its messages are settled."""
        for sequence in self.sequences:
            for push in sequence:
                result = await self._send(push)
                if self._is_over():
                    return
                if result.outcome not in SETTLED:
                    break

    async def _send(self, push: Push) -> Result:
        # Waiting for the semaphore costs time of the lease, so it is bounded; the peer's own
        # time-out starts with the request.
        if self.semaphore.locked():
            async with asyncio.timeout_at(self.end):
                await self.semaphore.acquire()
        else:
            await self.semaphore.acquire()
        try:
            result = await _send(self.shared, self.receiver, push)
        finally:
            self.semaphore.release()
        self.results.append(result)
        self.all_settled &= result.outcome in SETTLED
        return result

    def _is_over(self) -> bool:
        """Whether to send no more: the time is up, nothing passes, or nobody answers."""
        if asyncio.get_running_loop().time() > self.end:
            return True
        if self.all_settled:
            return False
        # Of eight that went out together all eight hang: so would a ninth. If one hangs and seven
        # are answered, that one is the trouble.
        outcomes = {result.outcome for result in self.results[-self.parallel :]}
        return Outcome.UNREACHABLE in outcomes or outcomes == {Outcome.SILENT}


def _semaphore(endpoint: str) -> asyncio.Semaphore:
    """Return the semaphore of a peer in this process: all its parties and modules share it."""
    size = settings.HUB_REQUESTS_PER_PEER
    known = _semaphores.setdefault(asyncio.get_running_loop(), {})
    return known.setdefault((_origin(endpoint), size), asyncio.Semaphore(size))


def _origin(endpoint: str) -> _Origin:
    try:
        url = URL(endpoint)
    except ValueError:  # the client will refuse it
        return endpoint, "", None
    return url.scheme, url.host or "", url.port


async def _send(shared: client.OcpiClient, receiver: Receiver, push: Push) -> Result:
    ids = MessageIds.new(push.correlation_id)
    try:
        reply = await shared.send(
            push.method,
            client.join(receiver.endpoint, push.spelled or push.path),
            peer=receiver.peer,
            headers={**receiver.headers, **ids.as_headers()},
            body=push.body.encode() if push.body else None,
        )
    except client.PeerError as error:
        reason, words = error.sentence.removesuffix("."), str(error)[:_LONGEST_WORDS]
        in_doubt = _may_have_arrived(error)
        return Result(push, failure(error), reason, in_doubt=in_doubt, words=words)
    return judged(push, reply)


def failure(error: client.PeerError) -> Outcome:
    """Return what a missing answer means, for this one message or for all."""
    if isinstance(error, _NOTHING_PASSES):
        return Outcome.UNREACHABLE
    return Outcome.SILENT if isinstance(error, client.PeerTimeout) else Outcome.TEMPORARY


def _may_have_arrived(error: client.PeerError) -> bool:
    """Whether a message may have taken effect although no answer came."""
    if not isinstance(error, client.PeerUnreachable):
        return not isinstance(error, client.AddressRefused)
    # Connection refused: nothing left this machine. Connection reset: the peer may have read it,
    # applied it, and died before its answer.
    cause = error.__cause__
    return not isinstance(cause, OSError) or cause.errno in _BROKEN_OFF


def judged(push: Push, reply: client.Reply) -> Result:
    """Return what an answer means for its push."""
    reason = f"HTTP {reply.http_status}, status {reply.status_code}"
    outcome = _outcome(push, reply)
    return Result(
        push,
        outcome,
        reason,
        reply.http_status,
        reply.status_code,
        reply.retry_after,
        in_doubt=outcome is Outcome.TEMPORARY,
        words=_words(reply, outcome),
        oddities=reply.oddities,
    )


def _words(reply: client.Reply, outcome: Outcome) -> str:
    """Return the receiver's own words, of which nobody asks where it took a push."""
    return "" if outcome is Outcome.DELIVERED else reply.words or "(no message)"


def _outcome(push: Push, reply: client.Reply) -> Outcome:
    http, code = reply.http_status, reply.status_code
    if reply.refuses_token or reply.is_throttled:
        return Outcome.UNREACHABLE
    if _failed(http, code, empty=not reply.body):
        return Outcome.TEMPORARY
    if http < _HTTP_ERROR and (code is None or is_success(code)):
        return Outcome.DELIVERED
    if push.method == "DELETE" and (http in _NOT_FOUND or code in _UNKNOWN_THERE):
        return Outcome.DELIVERED  # it is not there, as it should be
    return Outcome.UNKNOWN if _may_lack_it(push) else Outcome.REJECTED


def _failed(http: int, code: int | None, *, empty: bool) -> bool:
    """Whether the receiver failed: 5xx or 3xxx, or success without an envelope around it."""
    if code is None:
        return http >= _SERVER_ERROR or (http < _HTTP_ERROR and not empty)
    return code >= _OCPI_SERVER_ERROR or (http >= _SERVER_ERROR and is_success(code))


def _may_lack_it(push: Push) -> bool:
    """Whether the whole object could pass where this message did not (A-12, TF-39)."""
    return push.method == "PATCH" or (push.method == "PUT" and push.path != push.object_path)
