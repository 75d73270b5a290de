"""The map of locations: by mouse and by keyboard, in both schemes, for as long as it is open."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Locator, Page, expect

from operators.groups import Role
from tests.browser.conftest import Enter
from tests.hub.statistics.followed import put

_MAP = "/admin/hub/location/map/"
_AMSTERDAM = "#14/8616740/5513626"
_PLACE = re.compile(r"#(\d+)/(\d+)/(\d+)$")


@pytest.fixture
def places(hub_server: object) -> None:
    """Publish two locations side by side, and one far away."""
    for number, name, latitude, longitude in (
        (1, "Dam", "52.370216", "4.895168"),
        (2, "Rokin", "52.370816", "4.895768"),
        (3, "Paris", "48.8500", "2.3500"),
    ):
        put(number, name=name, coordinates={"latitude": latitude, "longitude": longitude})


def opened(page: Page, where: str = "") -> Locator:
    """Open the map and wait until it says what is on it."""
    page.goto("about:blank")
    page.goto(f"{_MAP}{where}")
    expect(page.locator("#map-said")).to_contain_text("location")
    return page.locator("#map")


def move_by(button: Locator) -> None:
    """Press something that moves the map, and wait until it says what is there."""
    said = button.page.locator("#map-said")
    said.evaluate("said => { said.textContent = '…'; }")
    button.click()
    expect(said).to_contain_text("location")


def view(page: Page) -> tuple[int, ...]:
    """Return zoom, x and y, which the address remembers."""
    found = _PLACE.search(page.url)
    assert found, page.url
    return tuple(int(number) for number in found.groups())


def test_all_locations_are_seen_at_first(places: None, enter: Enter) -> None:
    """What is together at this distance is one marker."""
    page = enter(Role.VIEWER)
    opened(page)
    expect(page.locator("#map-said")).to_contain_text("3 locations with")
    expect(page.locator("#map-as-of")).to_contain_text("as of")
    expect(page.get_by_role("button", name="2 locations")).to_be_visible()
    expect(page.get_by_role("button", name="Paris")).to_be_visible()


def test_a_location_is_shown_where_it_is(places: None, enter: Enter) -> None:
    """Of two side by side, one in the middle of the map and the other north-east of it."""
    page = enter(Role.VIEWER)
    x, y = middle(opened(page, _AMSTERDAM.replace("#14", "#17")))
    assert middle(page.get_by_role("button", name="Dam")) == pytest.approx((x, y), abs=5)
    east, north = middle(page.get_by_role("button", name="Rokin"))
    assert (east - x, y - north) == pytest.approx((56, 92), abs=5)


def middle(seen: Locator) -> tuple[float, float]:
    """Return where the middle of something is on the screen, in pixels."""
    box = seen.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_cluster_comes_nearer_and_a_location_leads_to_its_page(
    places: None, enter: Enter
) -> None:
    """By pointer and by keyboard alike."""
    page = enter(Role.VIEWER)
    opened(page, _AMSTERDAM)
    move_by(page.get_by_role("button", name="2 locations"))
    expect(page).to_have_url(re.compile("#16/"))
    move_by(page.locator("#map-closer"))
    expect(page).to_have_url(re.compile("#17/"))
    page.get_by_role("button", name="Rokin").press("Enter")
    link = page.locator("#map").get_by_role("link", name="Rokin")
    expect(link).to_be_focused()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(page.locator("#map")).to_be_focused()
    page.get_by_role("button", name="Dam").click()
    page.locator("#map").get_by_role("link", name="Dam").click()
    expect(page).to_have_url(re.compile(r"/admin/hub/location/\d+/change/"))


def test_arrows_move_the_map_and_signs_zoom(places: None, enter: Enter) -> None:
    """The address remembers where; the list follows."""
    page = enter(Role.VIEWER)
    opened(page, _AMSTERDAM).focus()
    zoom, x, y = view(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"!location.hash.includes('/{x}/')")
    assert view(page)[1] > x
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"!location.hash.endsWith('/{y}')")
    assert view(page)[2] > y
    page.keyboard.press("-")
    page.wait_for_function(f"location.hash.startsWith('#{zoom - 1}/')")
    page.locator("#map-list").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)


@pytest.mark.parametrize(
    "scheme, land", [("light", "rgb(248, 250, 252)"), ("dark", "rgb(27, 36, 54)")]
)
def test_the_world_has_the_colours_of_the_scheme(
    places: None, enter: Enter, scheme: str, land: str
) -> None:
    """Of the hub's own outlines."""
    page = enter(Role.VIEWER, color_scheme=scheme)
    opened(page)
    expect(page.locator(".hub-map-land")).to_have_css("fill", land)
    assert len(page.locator(".hub-map-land").get_attribute("d") or "") > 1_000


def test_tiles_are_asked_for_when_they_are_set(
    places: None, enter: Enter, settings: LazySettings
) -> None:
    """Instead of the outlines."""
    settings.HUB_MAP_TILES = "/static/logo.png?z={z}&x={x}&y={y}"
    page = enter(Role.VIEWER)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, _AMSTERDAM)
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    assert any("z=14&x=8414&y=5384" in url for url in asked)
    assert not any("world.json" in url for url in asked)


@pytest.mark.timeout(120)
def test_a_map_that_stays_open_does_not_grow(places: None, enter: Enter) -> None:
    """However often it asks for what is on it, and wherever it is moved."""
    page = enter(Role.VIEWER, reduced_motion="reduce")
    opened(page)
    sizes = [grown(page, times=40) for _ in range(3)]
    assert sizes[-1]["nodes"] <= sizes[0]["nodes"] * 1.05, sizes
    assert sizes[-1]["listeners"] <= sizes[0]["listeners"] * 1.05, sizes
    assert sizes[-1]["heap"] <= sizes[0]["heap"] * 1.05, sizes


def grown(page: Page, *, times: int) -> dict[str, Any]:
    """Move the map about and count what the page holds once its garbage is gone."""
    for turn in range(times):
        move_by(page.locator("#map-closer" if turn % 2 else "#map-farther"))
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    counted = devtools.send("Memory.getDOMCounters")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
    devtools.detach()
    return {"nodes": counted["nodes"], "listeners": counted["jsEventListeners"], "heap": heap}
