"""The pictures of the documentation, and that the charts on them are there to be seen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from operators.groups import Role
from tests.browser.a_day import JOURNEY, Day
from tests.browser.conftest import Enter

_MOST_BYTES = 200_000
_DESK: ViewportSize = {"width": 1280, "height": 900}
_TABLET: ViewportSize = {"width": 820, "height": 1180}
_PICTURES = {
    "dashboard": "/admin/",
    "timeline": f"/admin/hub/exchange/timeline/?correlation_id={JOURNEY}",
    "matrix": "/admin/parties/agreement/matrix/",
    "map": "/admin/hub/location/map/",
}


@pytest.mark.timeout(180)
def test_pictures(day: Day, enter: Enter, screenshots: Path, tmp_path: Path) -> None:
    """In light and dark, at a desk and on a tablet; those at a desk in light are the README's."""
    for scheme in ("light", "dark"):
        page = enter(Role.OPERATOR, color_scheme=scheme)
        for size in (_DESK, _TABLET):
            page.set_viewport_size(size)
            is_kept = (scheme, size) == ("light", _DESK)
            folder = screenshots if is_kept else tmp_path / f"{scheme}-{size['width']}"
            for name, address in _PICTURES.items():
                page.goto(address)
                settled(page, name)
                page.screenshot(path=folder / f"{name}.png")
                assert (folder / f"{name}.png").stat().st_size < _MOST_BYTES, name


def settled(page: Page, name: str) -> None:
    """Wait until a page shows what it is about."""
    shown = {
        "dashboard": ".hub-columns path",
        "timeline": ".hub-hop-bad rect",
        "matrix": ".agreement-A",
        "map": "#map-said:has-text('locations with')",
    }
    expect(page.locator(shown[name]).first).to_be_visible()
    page.wait_for_load_state("networkidle")
