"""Locations from one platform to another: across versions, to a party that is away, unpublished."""

from collections.abc import Callable

import pytest
from django.test import Client

from hub.models import Location
from sandbox.platform import SandboxPlatform
from tests.cast import CPA, MSA, Cast, a_location, push

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.mark.conformance("DT-09")
def test_an_overlong_string_of_an_older_version_is_delivered(
    cast: Cast, deliver_all: Callable[[], int]
) -> None:
    """A 2.2 address may have 45 characters; 200 are neither cut nor refused."""
    cpo, emsp = cast.join("P1", versions=("2.2",)), cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    body = a_location(CPA, address="x" * 200)

    result = push(cpo, body)
    deliver_all()

    assert (result.http_status, result.status_code) == (201, 1000), str(result)
    assert emsp.wait_for("PUT").json == body


@pytest.mark.conformance("TF-97")
def test_a_direct_message_to_a_party_that_is_away_is_not_sent_later(
    pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """The sender is told 4003 at once, and decides itself what to do when the party is back."""
    cpo, emsp = pair
    emsp.stop()

    result = push(cpo, a_location(CPA), to=MSA)
    emsp.start()
    deliver_all()

    assert (result.http_status, result.status_code) == (200, 4003), str(result)
    assert [seen for seen in emsp.seen if seen.method == "PUT"] == []


@pytest.mark.conformance("LOC-17")
def test_an_unpublished_location_reaches_its_receivers_but_no_page_of_the_console(
    pair: Pair, deliver_all: Callable[[], int], admin_client: Client
) -> None:
    """`publish` is between the CPO and those who show locations to drivers."""
    cpo, emsp = pair
    hidden, shown = a_location(CPA, 1, publish=False), a_location(CPA, 2)

    push(cpo, hidden)
    push(cpo, shown)
    deliver_all()

    assert {seen.json["publish"] for seen in emsp.seen if seen.method == "PUT"} == {False, True}
    page = admin_client.get("/admin/hub/location/").content.decode()
    assert shown["name"] in page
    assert hidden["name"] not in page
    key = Location.objects.get(object_id=hidden["id"]).pk
    assert admin_client.get(f"/admin/hub/location/{key}/change/").status_code != 200
