"""A list as a file: what is narrowed by search and filters goes out whole, however long it is.

What identifies a driver is in it for a reason alone, given by who may see it. That it was taken
away, what of it and by whom, is in the audit. A page that names the job may ask how far it is while
its file comes; without scripts the file comes alone.
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
"""What of an address says how a list is sorted and which page of it is looked at."""
LONGEST_REASON = 200
_JOB = "export-{}"
_STAGES: "Mapping[Stage, str]" = {
    Stage.QUEUED: "Other files come first",
    Stage.AT_WORK: "The file is on its way",
    Stage.OVER: "The file is complete",
    Stage.STOPPED: "It broke off: the file is not complete",
}


class JobForm(forms.Form):
    """Under which name a page asks how far its file is."""

    job = forms.RegexField("^[0-9a-f]{32}$", required=False)


class ExportForm(JobForm):
    """How the file is written, and whether it says who the drivers are."""

    form = forms.ChoiceField(choices=[(FileFormat.CSV, "CSV"), (FileFormat.JSON, "JSON lines")])
    reason = forms.CharField(required=False, max_length=LONGEST_REASON)


class Exports:
    """Adds the way to a file to a list."""

    actions_list: tuple[str, ...] = ("export",)

    def get_urls(self: Any) -> list[URLPattern]:
        """Add where a page asks how far its file is."""
        view = self.admin_site.admin_view(self.export_progress)
        name = f"hub_{self.opts.model_name}_export_progress"
        urls: list[URLPattern] = [
            path("export/progress/", view, name=name),
            *super().get_urls(),  # type: ignore[misc]
        ]
        return urls

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Let in who may take lists away."""
        user: Any = request.user
        return bool(user.has_perm(_PERMISSION))

    @action(description="Export", url_path="export", icon="download", permissions=["export"])
    def export(self: Any, request: HttpRequest) -> HttpResponseBase:
        """Ask how; on POST hand it out."""
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
            return _file(request, name, rows, form.cleaned_data)
        return _page(self, request, KINDS[name], back)

    def export_progress(self: Any, request: HttpRequest) -> HttpResponse:
        """Say how far a file is to whoever knows the name of its job."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        asked = JobForm(request.GET)
        job = _found(asked.cleaned_data["job"]) if asked.is_valid() else None
        return JsonResponse(_how_far(job) if job else {})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Let the button say what the list is narrowed to."""
        answer: Any = super().changelist_view(request, extra_context)  # type: ignore[misc]
        for item in (getattr(answer, "context_data", None) or {}).get("actions_list", ()):
            item["path"] = _with_query(item["path"], request)
        shown: HttpResponse = answer
        return shown


def _file(
    request: HttpRequest, name: str, rows: Rows, given: "Mapping[str, str]"
) -> StreamingHttpResponse:
    """Write down that it is taken away, and hand it out chunk by chunk."""
    kind, form = KINDS[name], FileFormat(given["form"])
    why = (
        one_line(given["reason"], longest=LONGEST_REASON).strip() if _reveals(request, kind) else ""
    )
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
    """The texts of chunks; the job shows each that was taken, and whether they broke off.

    Who went away before its turn never asks for a first part.
    """

    def __init__(self, made: Iterable[FileChunk], name: str) -> None:
        self._job = Job(name=_JOB.format(name))
        self._job.publish()
        self._texts = self._watched(made)

    def __iter__(self) -> Iterator[str]:
        return self._texts

    def close(self) -> None:
        """Say that it broke off, unless it is complete; what serves the answer calls it."""
        self._texts.close()
        if not self._job.finished:
            self._job.fail()

    def _watched(self, made: Iterable[FileChunk]) -> Generator[str]:
        self._job.begin()
        for part in made:
            yield part.text
            self._job.reach(part.share, {"rows": part.rows})
        self._job.end()


def _found(name: str) -> Job | None:
    try:
        return jobs.find_job(_JOB.format(name))
    except redis.RedisError:
        return None


def _how_far(job: Job) -> dict[str, object]:
    words = f"{_STAGES[job.stage]}. Rows: {job.done:,}"
    return {"share": job.share, "words": words, "is_over": job.stage not in jobs.GOING_ON}


def _page(admin: Any, request: HttpRequest, kind: ExportKind, back: str) -> TemplateResponse:  # noqa: ANN401 - the admin of any list
    shown = {
        "title": f"Export {admin.opts.verbose_name_plural}",
        "where": _narrowed(request, kind),
        "columns": tuple(kind.columns),
        "personal": sorted(kind.personal),
        "may_reveal": _reveals(request, kind),
        "forms": [(form.value, label) for form, label in ExportForm().fields["form"].choices],  # type: ignore[attr-defined]
        "back": back,
        "progress": reverse(f"admin:hub_{admin.opts.model_name}_export_progress"),
    }
    return page(admin, request, "console/export.html", **shown)


def _reveals(request: HttpRequest, kind: ExportKind) -> bool:
    return bool(kind.personal) and may_reveal(request)


def _narrowed(request: HttpRequest, kind: ExportKind) -> dict[str, str]:
    """Return what the list is narrowed by; what is searched for may be a token's uid."""
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
