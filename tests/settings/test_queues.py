"""Which queue a task waits in."""

import pytest

from settings.celery import app


def queue_of(task: str) -> str:
    """Return the queue a task is sent to."""
    return str(app.amqp.router.route({}, task)["queue"].name)


@pytest.mark.parametrize("task", ["ping", "client_info", "push_client_info", "take_over_parties"])
def test_who_is_connected_waits_for_no_long_work(task: str) -> None:
    """Readings of whole lists and snapshots may hold all workers of `bulk` for a minute."""
    assert queue_of(f"hub.{task}") in {"wake", "realtime"}


@pytest.mark.parametrize("task", ["renew", "verify", "pull", "snapshot"])
def test_long_work_has_a_queue_of_its_own(task: str) -> None:
    """What nobody waits for holds up nobody."""
    assert queue_of(f"hub.{task}") == "bulk"
