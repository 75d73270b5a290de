"""What the hub makes of an object of the corpus, decided as if it were pushed. No database."""

from collections.abc import Sequence

from bench.write_requests import write_request
from hub.store import merge
from ocpi.errors import Fault, Finding, InvalidParameters, NotJson
from ocpi.types import ModuleID
from tests.corpus import Specimen
from tests.hub.samples import SAMPLES

OWNERS = {sample.module: (sample.platform, sample.owner, sample.id_field) for sample in SAMPLES}
"""Platform of the cast, party and name of the id by module."""


def judged(specimen: Specimen) -> tuple[str, Sequence[Finding]]:
    """Let the store decide what would become of an object that is pushed."""
    _, owner, _ = OWNERS[specimen.module]
    method = "POST" if specimen.module == "cdrs" else "PUT"
    try:
        request = write_request(
            ModuleID(specimen.module), method, owner, id_of(specimen), path="", body=specimen.text
        )
        planned = merge.draft(request).write
    except NotJson as error:
        return "refused", [Finding("", str(error), Fault.NOT_JSON)]
    except InvalidParameters as error:
        return "refused", error.findings
    assert planned is not None
    return ("reported" if planned.findings else "kept"), planned.findings


def id_of(specimen: Specimen) -> str:
    """Return its id as a URL has it, or another where it has none."""
    _, _, name = OWNERS[specimen.module]
    said = specimen.value.get(name) if isinstance(specimen.value, dict) else None
    return str(said or "X1")
