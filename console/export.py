"""The export of a list as a file: all rows that search and filters leave, however many.

What identifies a driver is only in it if an operator who may see that gives a reason. The audit has
who exported what. A script may name the export as a job, and ask how far it is while the file
arrives; without scripts only the file arrives.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import redis
from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from console.base import action, page
from console.reveal import may_reveal
from hub import jobs
from hub.export import KINDS, ExportKind, FileChunk, FileFormat, Rows, file_chunks
from hub.jobs import Job, Stage
from hub.masking.personal import mask_value
from ocpi.types import one_line
from operators.audit import record

if TYPE_CHECKING:
    from collections.abc import Mapping

_PERMISSION = "hub.export_objects"
_TYPES: "Mapping[FileFormat, str]" = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.JSON: "application/x-ndjson",
}
_LIST_STATE = {"o", "p"}
"""Query parameters of a list for its order and its page."""
LONGEST_REASON = 200
_JOB = "export-{}"
_STAGES: "Mapping[Stage, str]" = {
    Stage.QUEUED: "Other files come first",
    Stage.AT_WORK: "The file is on its way",
    Stage.OVER: "The file is complete",
    Stage.STOPPED: "It broke off: the file is not complete",
}


class JobForm(forms.Form):
    """The name by which a page asks how far its file is."""

    job = forms.RegexField("^[0-9a-f]{32}$", required=False)


class ExportForm(JobForm):
    """The format of the file, and the reason if it is to say who the drivers are."""

    form = forms.ChoiceField(choices=[(FileFormat.CSV, "CSV"), (FileFormat.JSON, "JSON lines")])
    reason = forms.CharField(required=False, max_length=LONGEST_REASON)


class ExportPages:
    """Adds the export to a list."""

    actions_list: tuple[str, ...] = ("export",)

    def get_urls(self: Any) -> list[URLPattern]:
        """Add the URL at which a page asks how far its file is."""
        view = self.admin_site.admin_view(self.export_progress)
        name = f"hub_{self.opts.model_name}_export_progress"
        urls: list[URLPattern] = [
            path("export/progress/", view, name=name),
            *super().get_urls(),  # type: ignore[misc]
        ]
        return urls

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Allow it to those who may export lists."""
        user: Any = request.user
        return bool(user.has_perm(_PERMISSION))

    @action(description="Export", url_path="export", icon="download", permissions=["export"])
    def export(self: Any, request: HttpRequest) -> HttpResponseBase:
        """Show the form; on POST send the file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = _with_query(reverse(f"admin:hub_{self.opts.model_name}_changelist"), request)
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(back)
        name = next(name for name, kind in KINDS.items() if kind.model is self.model)
        form = ExportForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return _export(request, name, rows, form.cleaned_data)
        return _page(self, request, KINDS[name], back)

    def export_progress(self: Any, request: HttpRequest) -> HttpResponse:
        """Say how far a file is, by the name of its job."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        asked = JobForm(request.GET)
        job = _find_job(asked.cleaned_data["job"]) if asked.is_valid() else None
        return JsonResponse(_progress(job) if job else {})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Give the button the query of the list, so that it exports what is shown."""
        answer: Any = super().changelist_view(request, extra_context)  # type: ignore[misc]
        for item in (getattr(answer, "context_data", None) or {}).get("actions_list", ()):
            item["path"] = _with_query(item["path"], request)
        shown: HttpResponse = answer
        return shown


def _export(
    request: HttpRequest, name: str, rows: Rows, given: "Mapping[str, str]"
) -> StreamingHttpResponse:
    """Record the export in the audit, and send the file chunk by chunk."""
    kind, form = KINDS[name], FileFormat(given["form"])
    why = ""
    if _may_reveal(request, kind):
        why = one_line(given["reason"], longest=LONGEST_REASON).strip()
    facts = {"as": form, "where": _narrowed(request, kind)} | ({"revealed": why} if why else {})
    record("exported", name, after=facts, kind=kind.model._meta.label)  # noqa: SLF001 - a documented name of Django
    made = file_chunks(kind, rows, form, revealed=bool(why))
    texts = _TrackedTexts(made, given["job"]) if given["job"] else (part.text for part in made)
    answer = StreamingHttpResponse(texts, content_type=_TYPES[form])
    answer.headers["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"{name}-{timezone.now():%Y%m%d-%H%M}.{form}"
    )
    return answer


class _TrackedTexts:
    """The texts of chunks, which show in a job how many were taken, and whether the reader left.

    A reader that left before its turn came never asks for the first chunk.
    """

    def __init__(self, made: Iterable[FileChunk], name: str) -> None:
        self._job = Job(name=_JOB.format(name))
        self._job.publish()
        self._texts = self._watched(made)

    def __iter__(self) -> Iterator[str]:
        return self._texts

    def close(self) -> None:
        """Mark the job as failed unless it is complete; the server calls this at the end."""
        self._texts.close()
        if not self._job.finished:
            self._job.fail()

    def _watched(self, made: Iterable[FileChunk]) -> Generator[str]:
        self._job.begin()
        for part in made:
            yield part.text
            self._job.reach(part.share, {"rows": part.rows})
        self._job.end()


def _find_job(name: str) -> Job | None:
    try:
        return jobs.find_job(_JOB.format(name))
    except redis.RedisError:
        return None


def _progress(job: Job) -> dict[str, object]:
    words = f"{_STAGES[job.stage]}. Rows: {job.done:,}"
    return {"share": job.share, "words": words, "is_over": job.stage not in jobs.GOING_ON}


def _page(admin: Any, request: HttpRequest, kind: ExportKind, back: str) -> TemplateResponse:  # noqa: ANN401 - the admin of any list
    shown = {
        "title": f"Export {admin.opts.verbose_name_plural}",
        "where": _narrowed(request, kind),
        "columns": tuple(kind.columns),
        "personal": sorted(kind.personal),
        "may_reveal": _may_reveal(request, kind),
        "forms": [(form.value, label) for form, label in ExportForm().fields["form"].choices],  # type: ignore[attr-defined]
        "back": back,
        "progress": reverse(f"admin:hub_{admin.opts.model_name}_export_progress"),
    }
    return page(admin, request, "console/export.html", **shown)


def _may_reveal(request: HttpRequest, kind: ExportKind) -> bool:
    return bool(kind.personal) and may_reveal(request)


def _narrowed(request: HttpRequest, kind: ExportKind) -> dict[str, str]:
    """Return search and filters of the list; the search is masked, as it may be a token's uid."""
    given = request.GET.dict()
    narrowed = {
        name: str(value) for name, value in given.items() if value and name not in _LIST_STATE
    }
    if kind.personal and SEARCH_VAR in narrowed:
        narrowed[SEARCH_VAR] = mask_value(narrowed[SEARCH_VAR])
    return narrowed


def _with_query(path: str, request: HttpRequest) -> str:
    query = request.GET.urlencode()
    return f"{path}?{query}" if query else path
