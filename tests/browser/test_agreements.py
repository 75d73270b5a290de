"""From the matrix of agreements to the objects that flow."""

from playwright.sync_api import expect

from operators.groups import Role
from parties.models import Agreement
from tests.browser.conftest import Enter, Look
from tests.cast import CPA, Cast, a_location, push
from tests.hub.message_log.conftest import Logged


def test_an_agreement_is_opened_and_objects_flow(
    cast: Cast, enter: Enter, logged: Logged, at_work: None, look: Look
) -> None:
    """A click on the pair, a click to save: the eMSP has what the CPO had, and the log shows it."""
    cpo, emsp = cast["P1"], cast["P2"]
    push(cpo, a_location(CPA, 1))
    page = enter(Role.OPERATOR)
    page.goto("/admin/parties/agreement/matrix/")
    page.get_by_role("link", name="NL-CPA - DE-MSA: open an agreement").click()
    page.get_by_label("State").select_option("ACTIVE")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="NL-CPA - DE-MSA").first).to_be_visible()
    assert Agreement.objects.get().state == "ACTIVE"

    look(lambda: "L1" in str(emsp.objects["locations"].objects()))
    logged()
    page.goto("/admin/hub/exchange/?module=locations&direction=out&q=L1")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.locator("#result_list")).to_contain_text("DE-MSA")
    page.goto("/admin/parties/agreement/matrix/")
    expect(page.get_by_role("link", name="NL-CPA - DE-MSA: ACTIVE")).to_be_visible()


def test_a_selection_is_suspended_after_a_question(cast: Cast, enter: Enter) -> None:
    """A row is ticked by its head; what will happen is said, and then it has happened."""
    assert cast["P1"]
    assert cast["P2"]
    assert cast["P3"]
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    page = enter(Role.OPERATOR)
    page.goto("/admin/parties/agreement/matrix/")
    page.get_by_role("checkbox", name="Select row NL-CPA CPO").check()
    expect(page.get_by_text("2 selected pairs:")).to_be_visible()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("heading", name="Suspend 2 agreements")).to_be_visible()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("2 agreements are SUSPENDED now.")).to_be_visible()
    assert {row.state for row in Agreement.objects.all()} == {"SUSPENDED"}
