"""Jobs in Redis, as whoever looks for them finds them."""

from typing import Any

import msgspec

from hub import broker
from hub.jobs import Job, Stage, find_job


def test_a_job_that_another_release_published_is_found() -> None:
    """It may have other fields: what is known of it counts, and nobody is at work on it."""
    job = Job(total=3)
    job.publish()
    key = f"hub:job:{job.name}"
    text: Any = broker.connection().get(key)
    state = msgspec.json.decode(text)
    del state["published_at"]
    broker.connection().set(key, msgspec.json.encode({**state, "told_at": 1.0}))

    found = find_job(job.name)

    assert found is not None
    assert (found.total, found.stage) == (3, Stage.STOPPED)
