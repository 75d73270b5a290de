"""The map: a place for each published Location, counted by cells, as many as can be seen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from hub.models import Location, Spot
from hub.models.locations import SPOT_SIZE
from hub.statistics.map_clusters import Box, clusters
from tests.hub.statistics.followed import put

pytestmark = pytest.mark.django_db(transaction=True)
SPOTS = reverse("admin:hub_location_spots")
MAP = reverse("admin:hub_location_map")
WHOLE = {"left": 0, "top": 0, "right": SPOT_SIZE - 1, "bottom": SPOT_SIZE - 1}


def at(latitude: str, longitude: str) -> dict[str, Any]:
    """Return the coordinates of a Location."""
    return {"coordinates": {"latitude": latitude, "longitude": longitude}}


@pytest.mark.parametrize(
    "place, x, y",
    [
        (("0.0", "0.0"), SPOT_SIZE // 2, SPOT_SIZE // 2),
        (("52.370216", "4.895168"), 8616740, 5513626),
        (("85.9", "180.0"), SPOT_SIZE - 1, 0),
        (("-90.0", "-180.0"), 0, SPOT_SIZE - 1),
    ],
)
def test_a_location_has_its_place_on_the_map(place: tuple[str, str], x: int, y: int) -> None:
    """In the projection of all web maps, to some metres; beyond its edges at the edge."""
    put(1, **at(*place))
    spot = Spot.objects.get()
    assert spot.x == pytest.approx(x, abs=5)
    assert spot.y == pytest.approx(y, abs=5)


def test_locations_that_cannot_be_told_apart_are_one() -> None:
    """Near ones far away are a cluster with all their EVSEs; near by, each is alone."""
    put(1, **at("52.3700", "4.8900"), name="One")
    put(2, ("OUTOFORDER", "RESERVED", "UNKNOWN"), **at("52.3710", "4.8910"), name="Two")
    put(3, **at("48.8500", "2.3500"), name="Paris")
    [paris, both] = clusters(Box(**WHOLE, zoom=5))
    assert (paris.locations, paris.name) == (1, "Paris")
    assert (both.locations, both.available, both.busy, both.broken, both.other) == (2, 1, 2, 1, 1)
    assert both.name is None
    near = Box(both.x - 9_000, both.y - 9_000, both.x + 9_000, both.y + 9_000, zoom=17)
    assert {one.name for one in clusters(near)} == {"One", "Two"}


def test_what_is_not_published_is_not_on_the_map() -> None:
    """Nor is it once its owner says so."""
    put(1)
    put(2, publish=False)
    assert len(clusters(Box(**WHOLE, zoom=10))) == 1
    put(1, publish=False, last_updated="2026-11-21T10:00:00Z")
    assert clusters(Box(**WHOLE, zoom=10)) == []


def test_a_browser_gets_what_it_sees(
    admin_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    """By two queries, one of them as of when it is, beside those that know who asks."""
    put(1)
    asked: Any = {**WHOLE, "zoom": 3}
    with django_assert_max_num_queries(5):
        answer = admin_client.get(SPOTS, asked)
    [one] = answer.json()["clusters"]
    assert (one["locations"], one["pk"]) == (1, Location.objects.get().pk)
    assert answer.json()["as_of"].startswith("as of ")


@pytest.mark.parametrize("wrong", [{"zoom": "x"}, {"left": "-1"}, {"right": ""}, {"top": "9" * 30}])
def test_what_no_map_asks_is_refused(admin_client: Client, wrong: dict[str, str]) -> None:
    """With a sentence."""
    given: Any = {**WHOLE, "zoom": 3, **wrong}
    answer = admin_client.get(SPOTS, given)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["error"]


def test_an_answer_has_a_bounded_number_of_cells() -> None:
    """However large the part of the map is for its zoom."""
    box = Box.read({**{name: str(edge) for name, edge in WHOLE.items()}, "zoom": "18"})
    assert box.right - box.left <= 80 * (SPOT_SIZE >> 18) // 4 + 80


def test_the_map_asks_no_other_host(admin_client: Client, settings: LazySettings) -> None:
    """Unless the operator names tiles."""
    text = admin_client.get(MAP).content.decode()
    assert 'src="http' not in text
    assert '"tiles": ""' in text
    settings.HUB_MAP_TILES = "https://tiles.example.com/{z}/{x}/{y}.png"
    settings.HUB_MAP_CREDITS = "© their makers"
    text = admin_client.get(MAP).content.decode()
    assert "tiles.example.com" in text
    assert "© their makers" in text


def test_the_list_shows_the_same_part(admin_client: Client) -> None:
    """An area of the map and a status narrow the list of locations."""
    put(1, **at("52.37", "4.89"), name="Amsterdam")
    put(2, ("OUTOFORDER",), **at("48.85", "2.35"), name="Paris")
    one: Any = Spot.objects.get(location__name="Amsterdam")
    listed = reverse("admin:hub_location_changelist")
    area = f"{one.x - 5},{one.y - 5},{one.x + 5},{one.y + 5}"
    for query, names in (
        ({"area": area}, ["Amsterdam"]),
        ({"status": "OUTOFORDER"}, ["Paris"]),
        ({"area": "1,2"}, []),
    ):
        found: Any = admin_client.get(listed, query)
        assert [row.name for row in found.context["cl"].result_list] == names


def test_who_may_not_see_locations_sees_no_map(client: Client) -> None:
    """Neither the page nor what it asks for."""
    client.force_login(User.objects.create_user("somebody", is_staff=True))
    assert client.get(MAP).status_code == 403
    assert client.get(SPOTS, WHOLE).status_code == 403
