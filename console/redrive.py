"""The actions that send dead letters again, by a worker, or discard them."""

from typing import Any

import redis
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from kombu.exceptions import OperationalError

from console import bulk_action
from console.base import is_permitted, page
from console.bulk_action import Bulk
from hub import jobs
from hub.delivery.dead_letters import DEAD_LETTERS
from hub.jobs import Job
from hub.models import DeadLetter
from hub.tasks import delivery as delivery_tasks

_LIST = "admin:hub_deadletter_changelist"
_JOB = "hub_deadletter_job"
_REFRESH_SECONDS = "2"
"""After which a browser loads the page of a job again."""
_GROUPED_BY = ("subscription__receiver__holder", "subscription__module")
_REDRIVE = Bulk(
    "Send again",
    "dead letters",
    (
        "The present state of each object is sent, a CDR as it was posted.",
        "Nothing newer is overtaken; of what is gone nothing is sent.",
        "What passes leaves the list; what is refused again has a new dead letter, and reason.",
        "A worker does it, one receiver after the other.",
        "Dead letters whose receiver backs off, or may not have the object any more, stay.",
    ),
    _GROUPED_BY,
)
_DISCARD = Bulk(
    "Discard",
    "dead letters",
    (
        "Nothing is sent: the receivers go without it until the objects change again.",
        "A Session or CDR that is over never does.",
        "It cannot be undone. Who did it, and of whom they were, stands in the audit.",
    ),
    _GROUPED_BY,
    dangerous=True,
)


class RedriveActions:
    """Adds both actions to the dead letters' list."""

    def get_urls(self: Any) -> list[URLPattern]:
        """Add the page of a job."""
        view = self.admin_site.admin_view(self.job)
        own = [path("job/<slug:name>/", view, name=_JOB)]
        urls: list[URLPattern] = own + super().get_urls()  # type: ignore[misc]
        return urls

    def has_redrive_permission(self, request: HttpRequest) -> bool:
        """Allow both actions to those who may change dead letters."""
        return is_permitted(request, DeadLetter)

    @admin.action(description="Send again", permissions=["redrive"])
    def redrive(self: Any, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        """Have the chosen dead letters sent again, once that is confirmed."""
        rows = bulk_action.confirmed(request, queryset)
        if rows is None:
            return bulk_action.ask(self, request, queryset, _REDRIVE)
        ids = list(rows.order_by("pk").values_list("pk", flat=True))
        DEAD_LETTERS.audit("sent again", ids)  # before a quick worker has deleted them
        job = Job(len(ids))
        job.publish()
        try:
            task: Any = delivery_tasks.redrive
            task.delay_on_commit(ids, job.name)
        except (redis.RedisError, OperationalError) as error:
            DEAD_LETTERS.audit("not sent again: the broker did not answer", ids)
            self.message_user(request, f"The broker does not answer: {error}", messages.ERROR)
            return HttpResponseRedirect(reverse(_LIST))
        return HttpResponseRedirect(reverse(f"admin:{_JOB}", args=[job.name]))

    @admin.action(description="Discard", permissions=["redrive"])
    def discard(
        self: Any, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        """Discard the chosen dead letters, once that is confirmed."""
        rows = bulk_action.confirmed(request, queryset)
        if rows is None:
            return bulk_action.ask(self, request, queryset, _DISCARD)
        number = DEAD_LETTERS.discard(rows)
        self.message_user(request, f"{number:,} were discarded; nothing was sent.")
        return None

    def job(self: Any, request: HttpRequest, name: str) -> HttpResponse:
        """Show how far a job is; the page reloads itself until the job is over."""
        if not self.has_redrive_permission(request):
            raise PermissionDenied
        try:
            found = jobs.find_job(name)
        except redis.RedisError:
            found = None
        shown = {
            "title": "Dead letters sent again",
            "job": found,
            "counts": found.counts.most_common() if found else (),
            "left": found.total - found.done if found else 0,
            "back": reverse(_LIST),
        }
        answer = page(self, request, "console/job.html", **shown)
        if found and found.stage in jobs.GOING_ON:
            answer.headers["Refresh"] = _REFRESH_SECONDS
        return answer
