"""The page of long work that a worker does: how far it is, again and again until it is over."""

from typing import Any

import redis
from django.http import HttpRequest, HttpResponse

from console.base import page
from hub import jobs

_LOOK_AGAIN = "2"
"""Seconds after which a browser asks again how far it is."""


def progress_page(
    admin: Any,  # noqa: ANN401 - the admin of any model
    request: HttpRequest,
    name: str,
    *,
    title: str,
    back: str,
) -> HttpResponse:
    """Show how far a job is."""
    try:
        found = jobs.find_job(name)
    except redis.RedisError:
        found = None
    counts = found.counts.most_common() if found else ()
    stopped = found is not None and found.stage is jobs.Stage.STOPPED
    context = {"title": title, "job": found, "counts": counts, "back": back, "stopped": stopped}
    answer = page(admin, request, "console/work.html", **context)
    if found and found.stage in jobs.GOING_ON:
        answer.headers["Refresh"] = _LOOK_AGAIN
    return answer
