"""Celery's interface to delivery: ids in, one function called.

docs/architecture.md#delivery; docs/decisions/0009-the-worker-that-dispatches-delivers.md.

A change costs one task however many receivers it has: the worker that dispatches delivers too, by
threads of its own. Losing every task loses nothing: beat dispatches whatever is behind every few
seconds. Only what is sent again has to be asked for once more.
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

_WAKE = "hub:wake:{}"
_WAKE_SECONDS = 5
_QUEUED = "hub:queued:{}"
_RECONCILING = "hub:reconciling"
_LOOK_AGAIN = "hub:look-again:{}"
_LOOK_AGAIN_SECONDS = 0.2
_SHORT_PAUSES = (0.003, 0.01)


def _start_dispatch(module: str) -> None:
    """Start one dispatch for all that was accepted since the last began to look."""
    try:
        if broker.connection().set(_WAKE.format(module), 1, nx=True, ex=_WAKE_SECONDS):
            dispatch.delay(module)
    except (redis.RedisError, OperationalError) as error:
        log.warning("delivery waits for beat, the broker does not answer: %s", error)
        with suppress(redis.RedisError):
            forget_wakes([module])


wake = Waker(_start_dispatch).wake
"""Have a module's feed looked at soon: sets a flag, and neither waits nor fails."""


def forget_wakes(modules: Iterable[str] = POLICIES) -> None:
    """Let the next change wake delivery, whatever became of the wake before."""
    broker.connection().delete(*map(_WAKE.format, modules))


def on_parties_changed(**_: object) -> None:
    """Wake delivery when somebody newly may have something, or registered anew."""
    try:
        broker.start_once(_RECONCILING, dispatch)
    except (redis.RedisError, OperationalError) as error:
        log.warning("subscriptions wait for beat, the broker does not answer: %s", error)


@shared_task(name="hub.dispatch")
def dispatch(module: str | None = None) -> None:
    """Have each subscription that is behind delivered, in one module when a change woke it.

    Beat's round looks at all of them and reconciles first.
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
        if _is_held(each):
            _look_again(each)


def deliver_now(subscription_ids: Collection[int]) -> None:
    """Start a task for each of some subscriptions: somebody asked, even if its platform backs off.

    Raises what a broker raises that does not answer.
    """
    running = snapshots.progress(subscription_ids)
    for subscription_id in subscription_ids:
        task: Any = snapshot if subscription_id in running else deliver
        task.delay_on_commit(subscription_id, insist=True)
    of = Subscription.objects.filter(pk__in=subscription_ids).order_by("receiver__key", "module")
    which = [f"{key} {module}" for key, module in of.values_list("receiver__key", "module")]
    subject = f"{len(which):,} subscription{'s' if len(which) > 1 else ''}"
    audit.record("delivered at once", subject, before={"of": which}, kind="hub.Subscription")


@shared_task(name="hub.deliver")
def deliver(subscription_id: int, *, insist: bool = False) -> None:
    """Deliver one subscription's backlog, and go on when more came while it was held."""
    module = engine.deliver(subscription_id, insist=insist)
    if module is not None:
        _start_all(module, only=subscription_id)


@shared_task(name="hub.snapshot")
def snapshot(subscription_id: int, *, insist: bool = False) -> None:
    """Deliver a subscription that has a snapshot to send: long work, in a queue of its own.

    Others may have waited for it: a newcomer's locations come after its tariffs.
    """
    broker.connection().delete(_QUEUED.format(subscription_id))
    engine.deliver(subscription_id, insist=insist)
    for module in POLICIES:
        _start_dispatch(module)


@shared_task(name="hub.redrive")
def redrive(dead_letters: list[int], job: str = "") -> None:
    """Send again what dead letters are about; who asked for it sees how far it is."""
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
    """Have each subscription of a module delivered that somebody should work on now."""
    for subscription_id, has_snapshot in backlog.behind(module, only=only):
        if has_snapshot:
            broker.start_once(_QUEUED.format(subscription_id), snapshot, subscription_id)
        else:
            pool.submit([subscription_id])


def _is_held(module: ModuleID) -> bool:
    """Wait a moment for what is stored and cannot be read yet; return whether it takes longer.

    What holds the feed is mostly another write, of some milliseconds.
    """
    for pause in _SHORT_PAUSES:
        if not feed.is_pending(module):
            return False
        time.sleep(pause)
        _start_all(module)
    return feed.is_pending(module)


def _look_again(module: ModuleID) -> None:
    """Dispatch once more in a moment: a change is stored that nobody can read yet."""
    again = int(_LOOK_AGAIN_SECONDS * 1000)
    if broker.connection().set(_LOOK_AGAIN.format(module), 1, nx=True, px=again):
        dispatch.apply_async((module,), countdown=_LOOK_AGAIN_SECONDS)


pool = DeliveryPool(engine.deliver, _start_all, threads=settings.HUB_DELIVERY_THREADS)
"""The one of this process."""


@worker_shutting_down.connect
def on_shutting_down(**_: object) -> None:
    """Begin nothing more: the rest is another worker's."""
    pool.close()


@worker_shutdown.connect
def on_shutdown(**_: object) -> None:
    """Finish what is begun while the process still can: later no host name is resolved any more."""
    pool.close()
    pool.wait()
