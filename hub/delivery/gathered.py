"""The loop that delivery runs on, and how its lanes ask the database: together, in few threads.

Fifty receivers of a change claim fifty leases, read the same change and move fifty positions. What
they ask while the same question of others is on its way goes out as one, behind it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

from django.conf import settings

from database import sql
from ocpi.client import LoopThread

Q = TypeVar("Q")
A = TypeVar("A")
P = ParamSpec("P")

_Asked = tuple[Q, asyncio.Future[A]]

_QUICK_THREADS = 4

_loop = LoopThread("delivery")
_quick = ThreadPoolExecutor(_QUICK_THREADS, thread_name_prefix="delivery-sql")
# Whoever waits for a receiver, or pauses, must not wait for a thread besides: its lease would end.
# Beside the deliverer's lanes there are those of tasks.
_patient = ThreadPoolExecutor(
    4 * settings.HUB_DELIVERY_THREADS, thread_name_prefix="delivery-patient"
)


def submit(coroutine: Coroutine[Any, Any, A]) -> Future[A]:
    """Start a coroutine on the loop of this process."""
    return _loop.submit(coroutine)


async def quickly(function: Callable[P, A], *args: P.args, **named: P.kwargs) -> A:
    """Run in a thread what only asks the database."""
    return await _in_thread(_quick, partial(function, *args, **named))


async def patiently(function: Callable[P, A], *args: P.args, **named: P.kwargs) -> A:
    """Run in a thread what may pause, or wait for a receiver."""
    return await _in_thread(_patient, partial(function, *args, **named))


async def _in_thread(threads: ThreadPoolExecutor, work: Callable[[], A]) -> A:
    def run() -> A:
        try:
            return work()
        finally:
            sql.release()

    return await asyncio.get_running_loop().run_in_executor(threads, run)


class Gathered(Generic[Q, A]):
    """A question that many ask; those that come while it is being answered are answered at once."""

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A]]) -> None:
        """Keep what answers several in a thread, in their order; if it fails it did nothing."""
        self._answer = answer
        self._asked: list[_Asked[Q, A]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Return the answer to this one; raises what answering it raised."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, future))
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                await self._answer_some(asked)
        finally:
            self._task = None

    async def _answer_some(self, asked: list[_Asked[Q, A]]) -> None:
        try:
            answers = await quickly(self._answer, [question for question, _ in asked])
        except Exception as error:  # noqa: BLE001 - it is handed to whoever asked
            await self._answer_each(asked, error)
            return
        for (_, future), answer in zip(asked, answers, strict=True):
            if not future.done():  # whoever asked may have gone
                future.set_result(answer)

    async def _answer_each(self, asked: list[_Asked[Q, A]], error: Exception) -> None:
        """Answer each by itself, since answering all failed: one must not fail for another."""
        if len(asked) > 1:
            for each in asked:
                await self._answer_some([each])
        elif not asked[0][1].done():
            asked[0][1].set_exception(error)
