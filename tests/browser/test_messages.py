"""Finding a message, and its journey, in a real browser."""

from playwright.sync_api import expect

from operators.groups import Role
from tests.browser.conftest import Enter
from tests.cast import CPA, MSA, Cast
from tests.hub.message_log.conftest import Logged
from tests.ocpi.objects import a_token


def test_a_message_is_found_by_its_correlation_id(cast: Cast, enter: Enter, logged: Logged) -> None:
    """The list has its hops; its timeline says who answered what, with bodies and curl."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    emsp.publish("tokens", a_token())
    ids = {"X-Correlation-ID": "why-no-charge"}
    cpo.hub.post("tokens", "SENDER", "TOKEN-1/authorize", to=MSA, sender=CPA, **ids)
    logged()

    page = enter(Role.SUPPORT)
    page.goto("/admin/hub/exchange/")
    page.get_by_label("Id", exact=True).fill("why-no-charge")
    page.get_by_role("button", name="Search").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("link").first.click()
    page.get_by_role("link", name="why-no").first.click()

    expect(page.get_by_text("2 messages in")).to_be_visible()
    hops = page.locator(".hub-hop")
    expect(hops).to_have_count(2)
    bars = [bar.bounding_box() for bar in page.locator(".hub-hop-bar rect").all()]
    assert [bar for bar in bars if not bar or bar["width"] < 1] == []
    hops.last.locator("summary").click()
    expect(hops.last.get_by_role("heading", name="As curl")).to_be_visible()
    expect(hops.last).to_contain_text("curl -X POST")
    assert "TOKEN-1" not in page.content()


def test_curl_is_copied(cast: Cast, enter: Enter, logged: Logged) -> None:
    """The button puts it on the clipboard, with a variable for the token."""
    cpo = cast["P1"]
    cpo.hub.get("tariffs", "SENDER", sender=CPA, **{"X-Correlation-ID": "copied"})
    logged()
    page = enter(Role.SUPPORT, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/admin/hub/exchange/timeline/?correlation_id=copied")
    hop = page.locator(".hub-hop").first
    if hop.get_attribute("open") is None:
        hop.locator("summary").click()
    hop.get_by_role("button", name="Copy").click()
    expect(hop.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "\ncurl -X GET http" in copied
    assert "Token $TOKEN" in copied
