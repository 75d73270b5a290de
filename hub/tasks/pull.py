"""Celery's interface to pull: ids in, one function called.

docs/architecture.md#pull. Losing every task loses nothing: beat starts whatever is due.
"""

import logging

import redis
from celery import shared_task
from kombu.exceptions import OperationalError

from hub import broker
from hub.delivery import wake_up
from hub.models import PullState
from hub.pull import crawl, schedule

log = logging.getLogger(__name__)

_STARTING = "hub:starting-pulls"
_QUEUED = "hub:pulling:{}"


def on_parties_changed(**_: object) -> None:
    """Look for lists to read: somebody registered anew, or newly may have something."""
    try:
        broker.start_once(_STARTING, start_pulls)
    except (redis.RedisError, OperationalError) as error:
        log.warning("lists wait for beat, the broker does not answer: %s", error)


@shared_task(name="hub.start_pulls")
def start_pulls() -> None:
    """Start a task for each list that is to be read now."""
    broker.connection().delete(_STARTING)
    schedule.reconcile()
    for state_id in schedule.due():
        broker.start_once(_QUEUED.format(state_id), pull, state_id)


@shared_task(name="hub.pull")
def pull(state_id: int) -> None:
    """Read a list for a while, deliver what it brought, then start what is due next."""
    broker.connection().delete(_QUEUED.format(state_id))
    lease = crawl.claim(state_id)
    if lease is not None:
        crawl.crawl(lease)
        for module in PullState.objects.filter(pk=state_id).values_list("module", flat=True):
            wake_up.publish(module)
        start_pulls()
