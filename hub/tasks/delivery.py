"""Celery's interface to delivery: ids in, one function called.

docs/architecture.md#delivery; docs/decisions/0009-the-worker-that-dispatches-delivers.md.

A change costs one task however many receivers it has: the worker that dispatches delivers too, by
threads of its own. Losing every task loses nothing: beat dispatches whatever is behind every few
seconds. Only a redrive has to be asked for once more.
"""

import logging
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

import redis
from celery import shared_task
from celery.signals import worker_shutdown, worker_shutting_down
from django.conf import settings
from kombu.exceptions import OperationalError

from hub import broker, feed
from hub.delivery import backlog, engine, snapshots, subscriptions
from hub.delivery import redrive as delivery_redrive
from hub.delivery.redrive import RedriveResult
from hub.delivery.thread_pool import DeliveryPool
from hub.gateway import callbacks, posts_in_flight
from hub.jobs import Job
from hub.models import Subscription
from hub.module_policy import POLICIES
from hub.tasks.wakeup import Waker
from ocpi.types import ModuleID
from operators import audit

log = logging.getLogger(__name__)

# Keys in the broker: while one is there, the same task is not started again.
_WAKE = "hub:wake:{}"
_WAKE_SECONDS = 5
_QUEUED = "hub:queued:{}"
_RECONCILING = "hub:reconciling"
_LOOK_AGAIN = "hub:look-again:{}"
_LOOK_AGAIN_SECONDS = 0.2
# Most writes that keep the feed from being read take no longer than these pauses.
_SHORT_PAUSES_SECONDS = (0.003, 0.01)


def _start_dispatch(module: str) -> None:
    """Start one dispatch for all that was accepted since the last one began to look."""
    try:
        if broker.connection().set(_WAKE.format(module), 1, nx=True, ex=_WAKE_SECONDS):
            dispatch.delay(module)
    except (redis.RedisError, OperationalError) as error:
        log.warning("delivery waits for beat, the broker does not answer: %s", error)
        with suppress(redis.RedisError):
            forget_wakes([module])


wake = Waker(_start_dispatch).wake
"""Have a module's feed dispatched soon: sets a flag, and neither waits nor fails."""


def forget_wakes(modules: Iterable[str] = POLICIES) -> None:
    """Let the next change wake delivery, whatever became of the last wake-up."""
    broker.connection().delete(*map(_WAKE.format, modules))


def on_parties_changed(**_: object) -> None:
    """Reconcile subscriptions soon: somebody newly may have something, or registered anew."""
    try:
        broker.start_once(_RECONCILING, dispatch)
    except (redis.RedisError, OperationalError) as error:
        log.warning("subscriptions wait for beat, the broker does not answer: %s", error)


@shared_task(name="hub.dispatch")
def dispatch(module: str | None = None) -> None:
    """Deliver each subscription of a module that is behind.

    Without a module, as beat starts it, reconcile subscriptions first and deliver all modules.
    """
    modules = [ModuleID(module)] if module else list(POLICIES)
    forget_wakes(modules)
    if module is None:
        broker.connection().delete(_RECONCILING)
        subscriptions.reconcile()
        callbacks.forget_expired()
        posts_in_flight.forget_expired()
    for each in modules:
        _start_all(each)
        if not _wait_until_readable(each):
            _dispatch_again(each)


def deliver_now(subscription_ids: Collection[int]) -> None:
    """Deliver some subscriptions because an operator wants it, even if their platforms back off.

    Raises `redis.RedisError` or `OperationalError` when the broker does not answer.
    """
    with_snapshot = snapshots.progress(subscription_ids)
    for subscription_id in subscription_ids:
        task: Any = snapshot if subscription_id in with_snapshot else deliver
        task.delay_on_commit(subscription_id, insist=True)
    chosen = Subscription.objects.filter(pk__in=subscription_ids)
    named = chosen.order_by("receiver__key", "module").values_list("receiver__key", "module")
    names = [f"{key} {module}" for key, module in named]
    subject = f"{len(names):,} subscription{'s' if len(names) > 1 else ''}"
    audit.record("delivered at once", subject, before={"of": names}, kind="hub.Subscription")


@shared_task(name="hub.deliver")
def deliver(subscription_id: int, *, insist: bool = False) -> None:
    """Deliver one subscription's backlog, and go on if more came meanwhile."""
    module = engine.deliver(subscription_id, insist=insist)
    if module is not None:
        _start_all(module, only=subscription_id)


@shared_task(name="hub.snapshot")
def snapshot(subscription_id: int, *, insist: bool = False) -> None:
    """Deliver a subscription that has a snapshot to send: long work, in a queue of its own.

    Other modules are dispatched afterwards: a newcomer's locations wait for its tariffs.
    """
    broker.connection().delete(_QUEUED.format(subscription_id))
    engine.deliver(subscription_id, insist=insist)
    for module in POLICIES:
        _start_dispatch(module)


@shared_task(name="hub.redrive")
def redrive(dead_letters: list[int], job: str = "") -> None:
    """Send again what dead letters are about; the operator sees the progress of `job`."""
    work = Job(len(dead_letters), job)

    def report(result: RedriveResult) -> None:
        counts = {
            "delivered": result.delivered,
            "refused again": result.refused,
            "of objects that are gone": result.moot,
            "no longer in the list": result.gone,
        }
        work.add(counts, f"{result.to}: {result.why}" if result.why else "")

    work.begin()
    try:
        delivery_redrive.redrive(dead_letters, report=report)
    except Exception:
        work.fail()
        raise
    work.end()


def _start_all(module: ModuleID, only: int | None = None) -> None:
    """Start delivery of each subscription of a module that can be worked on now."""
    for subscription_id, has_snapshot in backlog.behind(module, only=only):
        if has_snapshot:
            broker.start_once(_QUEUED.format(subscription_id), snapshot, subscription_id)
        else:
            pool.submit([subscription_id])


def _wait_until_readable(module: ModuleID) -> bool:
    """Wait some milliseconds for changes that are stored but not final yet, and deliver them.

    Return False if there are still some: the feed is read only below the oldest transaction that
    runs, mostly another short write.
    """
    for pause in _SHORT_PAUSES_SECONDS:
        if not feed.is_pending(module):
            return True
        time.sleep(pause)
        _start_all(module)
    return not feed.is_pending(module)


def _dispatch_again(module: ModuleID) -> None:
    """Dispatch once more in a moment, for changes that cannot be read yet."""
    milliseconds = int(_LOOK_AGAIN_SECONDS * 1000)
    if broker.connection().set(_LOOK_AGAIN.format(module), 1, nx=True, px=milliseconds):
        dispatch.apply_async((module,), countdown=_LOOK_AGAIN_SECONDS)


pool = DeliveryPool(engine.deliver, _start_all, threads=settings.HUB_DELIVERY_THREADS)
"""The delivery threads of this process."""


@worker_shutting_down.connect
def on_shutting_down(**_: object) -> None:
    """Begin nothing more: another worker will take the rest."""
    pool.close()


@worker_shutdown.connect
def on_shutdown(**_: object) -> None:
    """Finish what is begun; once the interpreter exits, no host name is resolved any more."""
    pool.close()
    pool.wait()
