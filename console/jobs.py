"""The progress page of long work that a worker does; it reloads itself until the work is over."""

from typing import Any

import redis
from django.http import HttpRequest, HttpResponse

from console.base import page
from hub import jobs

_REFRESH_SECONDS = "2"
"""After which a browser loads the page again."""


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
        answer.headers["Refresh"] = _REFRESH_SECONDS
    return answer
