"""The list of client info: who stands how, for whoever asks."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from hub.client_info import status as client_info_status
from hub.models import ClientInfo
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from tests.cast import MSA, Cast

LIST = ("hubclientinfo", "SENDER")


@pytest.fixture(autouse=True)
def _open(settings: LazySettings) -> None:
    settings.HUB_ACCESS = "open"


def listed(cast: Cast, name: str, query: str = "") -> list[str]:
    """Return whom a platform sees, and how they stand."""
    data = cast[name].hub.get(*LIST, query).data
    return sorted(
        f"{each['country_code']}-{each['party_id']} {each['role']} {each['status']}"
        for each in data
    )


@pytest.mark.conformance("HCI-01", "HCI-06", "HCI-14")
def test_lists_whom_the_caller_may_have_to_do_with(cast: Cast) -> None:
    """NL-CPA sees eMSPs, neither its own NL-CPB nor the hub; who never registered is PLANNED."""
    cast["P1"], cast["P2"]
    cast.token_a("P3")
    client_info_status.refresh_statuses()
    assert listed(cast, "P1") == ["DE-MSA EMSP CONNECTED", "FR-MSB EMSP PLANNED"]
    assert listed(cast, "P2") == ["NL-CPA CPO CONNECTED", "NL-CPB CPO CONNECTED"]


@pytest.mark.conformance("HCI-13")
def test_a_party_with_two_roles_is_two_entries(cast: Cast) -> None:
    """One ClientInfo for each role and party."""
    for name in ("P1", "P4", "P6"):
        cast[name]  # registers
    client_info_status.refresh_statuses()
    mix = {name: [each for each in listed(cast, name) if "MIX" in each] for name in ("P1", "P6")}
    assert mix["P6"] == ["BE-MIX CPO CONNECTED", "BE-MIX EMSP CONNECTED"]
    assert mix["P1"] == ["BE-MIX EMSP CONNECTED"]


@pytest.mark.conformance("HCI-15")
def test_last_updated_is_the_moment_of_the_change(cast: Cast) -> None:
    """Two GETs show the same value; only a change of status moves it."""
    cast["P1"], cast["P2"]
    client_info_status.refresh_statuses()
    first = cast["P2"].hub.get(*LIST).data
    assert client_info_status.refresh_statuses() == 0
    assert cast["P2"].hub.get(*LIST).data == first
    Platform.objects.get(name="P1").move_to(ConnectionStatus.OFFLINE)
    assert client_info_status.refresh_statuses() == 2
    later = cast["P2"].hub.get(*LIST).data
    assert all(a["last_updated"] < b["last_updated"] for a, b in zip(first, later, strict=True))


@pytest.mark.conformance("HCI-01")
def test_pages_and_filters_by_date(cast: Cast) -> None:
    """`limit`, `offset`, Link and totals; from inclusive, to exclusive."""
    cast["P1"], cast["P2"]
    client_info_status.refresh_statuses()
    page = cast["P2"].hub.get(*LIST, "?limit=1")
    assert len(page.data) == 1
    assert page.headers["X-Total-Count"] == "2"
    assert "offset=1&limit=1" in page.headers["Link"]
    assert "Link" not in cast["P2"].hub.get(*LIST, "?limit=1&offset=1").headers
    assert listed(cast, "P2", "?date_from=2099-01-01T00:00:00Z") == []
    assert len(listed(cast, "P2", "?date_to=2099-01-01T00:00:00Z")) == 2
    assert cast["P2"].hub.get(*LIST, "?limit=0").status_code == 2001


@pytest.mark.conformance("HCI-17")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_list_is_for_reading(cast: Cast, method: str) -> None:
    """Anything but GET is 405."""
    result = cast["P2"].hub.send(method, *LIST, "", {})
    assert (result.http_status, result.headers["Allow"]) == (405, "GET")


@pytest.mark.conformance("HCI-03")
def test_the_list_needs_and_gives_no_routing_headers(cast: Cast) -> None:
    """A Configuration Module: message ids, nothing else."""
    result = cast["P2"].hub.get(*LIST)
    assert result.status_code == 1000
    assert result.headers["X-Request-ID"]
    assert not [name for name in result.headers if name.lower().startswith("ocpi-")]


@pytest.mark.conformance("HCI-08")
@pytest.mark.parametrize("status", ["OFFLINE", "PLANNED", "SUSPENDED"])
def test_nothing_is_sent_or_queued_to_who_is_not_connected(
    cast: Cast, deliver_all: Callable[[], int], status: str
) -> None:
    """4003 at once, in each state; nothing arrives later."""
    cpo, emsp = cast["P1"], cast["P2"]
    Platform.objects.filter(name="P1").update(status=status)
    cpo.forget()
    result = emsp.hub.get("locations", "SENDER", to=cpo.party, sender=MSA)
    assert (result.http_status, result.status_code) == (200, 4003)
    deliver_all()
    assert cpo.seen == []


def test_access_that_ended_is_suspended(cast: Cast, settings: LazySettings) -> None:
    """Whoever knew a party it may no longer have to do with sees it SUSPENDED (A-116)."""
    cast["P1"], cast["P2"]
    client_info_status.refresh_statuses()
    settings.HUB_ACCESS = "agreement"
    client_info_status.refresh_statuses()
    assert set(ClientInfo.objects.values_list("status", flat=True)) == {"SUSPENDED"}
