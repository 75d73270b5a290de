"""Pull by real processes: an operator's command or a worker reads, the workers deliver."""

import pytest

from tests.cast import CPA, a_location
from tests.e2e.hub_processes import Hub
from tests.hub.location_owner import received
from tests.hub.pull.workers import offer

pytestmark = pytest.mark.timeout(90)
NUMBER = 120


def test_who_only_offers_lists_and_who_only_takes_pushes(hub: Hub) -> None:
    """Three pages of a CPO's list reach an eMSP that never asks for anything."""
    cpo, emsp = hub.platforms["P1"], hub.platforms["P2"]
    found = [{**a_location(CPA, each), "id": f"O{each}"} for each in range(1, NUMBER + 1)]
    offer(cpo, "locations", *found)

    hub.run("pull", "manage.py", "pull", "NL-CPA", "--module", "locations", "--full")
    emsp.wait_for("/O", 30, count=NUMBER)

    output = (hub.folder / "pull.log").read_text(encoding="utf-8")
    assert f"{NUMBER} of {NUMBER} objects, 3 pages" in output
    has = received(emsp)
    assert all(has[f"NL-CPA/{each['id']}"] == each for each in found)
