"""What a receiver was given up on, and its owner sends once more."""

from collections.abc import Callable

import pytest

from hub.models import DeadLetter
from sandbox import SandboxPlatform, misbehaviour
from tests.cast import CPA, HUB, MSA
from tests.ocpi.objects import a_cdr, a_session

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.mark.parametrize("to", [HUB, MSA], ids=str)
def test_a_cdr_posted_again_is_delivered_after_all(
    pair: Pair, deliver_all: Callable[[], int], to: object
) -> None:
    """The hub acknowledges the retry, so it must bring the CDR where it never arrived."""
    cpo, emsp = pair
    with emsp.answer("POST /ocpi/2.2.1/receiver/cdrs", misbehaviour.refuse(2001)):
        first = cpo.hub.post("cdrs", "RECEIVER", "", a_cdr(), to=HUB, sender=CPA)
        deliver_all()
    assert (first.http_status, DeadLetter.objects.count()) == (201, 1)

    again = cpo.hub.post("cdrs", "RECEIVER", "", a_cdr(), to=to, sender=CPA)
    deliver_all()

    assert (again.http_status, again.status_code) == (200, 1000)
    assert again.location == first.location
    assert set(emsp.objects["cdrs"]) == {("NL", "CPA", "C1")}
    assert DeadLetter.objects.count() == 0


def test_a_session_put_again_is_delivered_after_all(
    pair: Pair, deliver_all: Callable[[], int]
) -> None:
    """The same bytes are no news to the hub, but they are to who refused them."""
    cpo, emsp = pair
    with emsp.answer("PUT /ocpi/2.2.1/receiver/sessions", misbehaviour.refuse(2001)):
        cpo.hub.put("sessions", "RECEIVER", "NL/CPA/S1", a_session(), to=HUB, sender=CPA)
        deliver_all()
    assert DeadLetter.objects.count() == 1

    cpo.hub.put("sessions", "RECEIVER", "NL/CPA/S1", a_session(), to=HUB, sender=CPA)
    deliver_all()

    assert set(emsp.objects["sessions"]) == {("NL", "CPA", "S1")}
    assert DeadLetter.objects.count() == 0
