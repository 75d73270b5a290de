"""What a receiver refused is sent again, in a real browser."""

from playwright.sync_api import expect

from hub.models import DeadLetter
from operators.groups import Role
from sandbox import misbehaviour
from tests.browser.conftest import Enter, Look
from tests.cast import CPA, Cast, a_location, push


def test_a_dead_letter_is_sent_again(cast: Cast, enter: Enter, at_work: None, look: Look) -> None:
    """It says why it was refused; once the receiver takes it, it leaves the list."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    with emsp.answer("/locations/", misbehaviour.refuse(2001, "no such country")):
        push(cpo, a_location(CPA, 1))
        look(DeadLetter.objects.exists)
    page = enter(Role.SUPPORT)
    page.goto("/admin/hub/deadletter/")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("no such country")
    rows.get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action").select_option(label="Send again")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Send again: 1 dead letters")).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("It is over. 1 of 1")).to_be_visible()
    assert not DeadLetter.objects.exists()
    page.get_by_role("link", name="To the list").click()
    expect(page.get_by_text("0 dead letters")).to_be_visible()
    assert "L1" in str(emsp.objects["locations"].objects())
