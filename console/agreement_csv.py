"""Agreements as CSV, out and in; also by `manage.py export_agreements`, `import_agreements`."""

from io import StringIO
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from console.base import action, page
from operators import audit
from parties import agreement_csv
from parties.models import Agreement

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

_SHOWN = 200
"""Bad lines that a page names."""
MOST_LINES = 2_000
"""Lines of one file: with more the request would take too long."""


class FileForm(forms.Form):
    """One file of bounded size."""

    file = forms.FileField()

    def clean_file(self) -> "UploadedFile[bytes]":
        """Refuse what is too large to be read."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > settings.HUB_MAX_BODY_BYTES:
            message = f"the file is larger than {settings.HUB_MAX_BODY_BYTES:,} bytes: split it"
            raise forms.ValidationError(message)
        return file


class AgreementCsvPages:
    """Adds the export and the import of a CSV file to the agreements' admin: a mixin."""

    @action(description="CSV out", url_path="export.csv", icon="download")
    def export_csv(self: Any, request: HttpRequest) -> StreamingHttpResponse:
        """Send all agreements, line by line."""
        if not request.user.has_perm("hub.export_objects"):
            raise PermissionDenied
        audit.record("exported", "all agreements", kind=Agreement._meta.label)  # noqa: SLF001 - a documented name of Django
        name = f"agreements-{timezone.now():%Y%m%d-%H%M}.csv"
        answer = StreamingHttpResponse(
            agreement_csv.lines(), content_type="text/csv; charset=utf-8"
        )
        answer.headers["Content-Disposition"] = content_disposition_header(
            as_attachment=True, filename=name
        )
        return answer

    @action(description="CSV in", url_path="import", icon="upload", permissions=["import_csv"])
    def import_csv(self: Any, request: HttpRequest) -> HttpResponse:
        """Show the form; on POST check a file, or change the agreements to what it says."""
        form = FileForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {"title": "Agreements from a CSV file", "form": form}
        context |= {"columns": agreement_csv.COLUMNS, "shown": _SHOWN, "most": MOST_LINES}
        if request.method == "POST" and form.is_valid():
            context |= _read(form.cleaned_data["file"], dry_run="import" not in request.POST)
        return page(self, request, "console/import_agreements.html", **context)

    def has_import_csv_permission(self: Any, request: HttpRequest) -> bool:
        """Allow it to those who may both add agreements and change them."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))


def _read(file: "UploadedFile[bytes]", *, dry_run: bool) -> dict[str, Any]:
    """Return what the page shows: what was imported, why it was refused, or where it stopped."""
    try:
        text = StringIO(file.read().decode("utf-8-sig"), newline="")
        imported = agreement_csv.read(text, dry_run=dry_run, most=MOST_LINES)
    except UnicodeDecodeError:
        return {"refusal": "it is not in UTF-8. Nothing was changed"}
    # Below, messages are put on one line: those of PostgreSQL have several.
    except agreement_csv.BrokenOff as error:  # a ValueError, but its first lines are in force
        return {"stopped": " ".join(str(error).split())}
    except (ValueError, DataError) as error:
        return {"refusal": f"{' '.join(str(error).split())}. Nothing was changed"}
    return {"imported": imported, "dry_run": dry_run}
