"""How an EVSE was, on the command line."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.hub.store.stored_locations import put, send

pytestmark = pytest.mark.django_db


def output_of(*arguments: str) -> str:
    """Run the command and return what it prints."""
    out = StringIO()
    call_command("evse", *arguments, stdout=out)
    return out.getvalue()


def test_it_tells_status_uptime_and_history() -> None:
    """The ids in any spelling of case."""
    put(1, ("AVAILABLE",), id="L1")
    body = {"status": "OUTOFORDER", "last_updated": "2027-01-01T00:00:00Z"}
    send("PATCH", body, "L1", "E1")

    found: dict[str, Any] = json.loads(output_of("nl", "cpa", "l1", "e1", "--json"))

    assert found["status"] == "OUTOFORDER"
    assert [span["status"] for span in found["spans"]][-1] == "OUTOFORDER"
    assert "is OUTOFORDER; uptime" in output_of("NL", "CPA", "L1", "E1")


@pytest.mark.parametrize("fields", [{"id": "L2"}, {"id": "L1", "publish": False}])
def test_what_is_not_there_or_not_published_is_not_told(fields: dict[str, Any]) -> None:
    """One sentence for both (LOC-17)."""
    put(1, ("AVAILABLE",), **fields)

    with pytest.raises(CommandError, match="holds no published EVSE L1/E1 of NL-CPA"):
        output_of("NL", "CPA", "L1", "E1")
