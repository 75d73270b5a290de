"""Celery's interface to delivery: ids in, one function called.

docs/architecture.md#delivery; docs/decisions/0009-the-worker-that-dispatches-delivers.md.

A change costs no task, however many receivers it has: the workers that deliver hear of it
(`hub/tasks/wake_up_listener.py`), find who is behind and deliver. Losing every
task loses nothing: beat dispatches whatever is behind every few seconds. Only a redrive has to be
asked for once more.
"""

import logging
from collections.abc import Collection
from typing import Any

import redis
from celery import shared_task
from celery.signals import worker_shutdown, worker_shutting_down
from django.conf import settings
from kombu.exceptions import OperationalError

from hub import broker, feed
from hub.delivery import backlog, engine, snapshots, subscriptions, wake_up
from hub.delivery import redrive as delivery_redrive
from hub.delivery.deliverer import Deliverer
from hub.delivery.redrive import RedriveResult
from hub.gateway import callbacks, posts_in_flight
from hub.jobs import Job
from hub.models import Subscription
from hub.module_policy import POLICIES
from ocpi.types import ModuleID
from operators import audit

log = logging.getLogger(__name__)

# Keys in the broker: while one is there, the same task is not started again.
_QUEUED = "hub:queued:{}"
_RECONCILING = "hub:reconciling"


def on_parties_changed(**_: object) -> None:
    """Reconcile subscriptions soon: somebody newly may have something, or registered anew."""
    try:
        broker.start_once(_RECONCILING, dispatch)
    except (redis.RedisError, OperationalError) as error:
        log.warning("subscriptions wait for beat, the broker does not answer: %s", error)


@shared_task(name="hub.dispatch")
def dispatch() -> None:
    """Reconcile subscriptions, then deliver each one that is behind, as beat starts it."""
    broker.connection().delete(_RECONCILING)
    subscriptions.reconcile()
    callbacks.forget_expired()
    posts_in_flight.forget_expired()
    for module in POLICIES:
        if look(module):
            wake_up.publish(module)


def look(module: ModuleID) -> bool:
    """Deliver each subscription of a module that is behind; return whether to look again soon.

    That is so if changes are stored but not final yet: the feed is read only below the oldest
    transaction that runs. What becomes final before the look is read by it, so it is asked first.
    """
    is_pending = feed.is_pending(module)
    _start_all(module)
    return is_pending


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
    module = engine.deliver_and_wait(subscription_id, insist=insist)
    if module is not None:
        _start_all(module, only=[subscription_id])


@shared_task(name="hub.snapshot")
def snapshot(subscription_id: int, *, insist: bool = False) -> None:
    """Deliver a subscription that has a snapshot to send: long work, in a queue of its own.

    Other modules are dispatched afterwards: a newcomer's locations wait for its tariffs.
    """
    broker.connection().delete(_QUEUED.format(subscription_id))
    engine.deliver_and_wait(subscription_id, insist=insist)
    for module in POLICIES:
        wake_up.publish(module)


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


def _start_all(module: ModuleID, only: Collection[int] | None = None) -> None:
    """Start delivery of each subscription of a module that can be worked on now."""
    to_deliver = []
    for subscription_id, has_snapshot in backlog.behind(module, only=only):
        if has_snapshot:
            broker.start_once(_QUEUED.format(subscription_id), snapshot, subscription_id)
        else:
            to_deliver.append(subscription_id)
    deliverer.submit(to_deliver)


deliverer = Deliverer(engine.deliver, _start_all, most=settings.HUB_DELIVERY_THREADS)
"""The deliverer of this process."""


@worker_shutting_down.connect
def on_shutting_down(**_: object) -> None:
    """Begin nothing more: another worker will take the rest."""
    deliverer.close()


@worker_shutdown.connect
def on_shutdown(**_: object) -> None:
    """Finish what is begun; once the interpreter exits, no host name is resolved any more."""
    deliverer.close()
    deliverer.wait()
