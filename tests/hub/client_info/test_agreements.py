"""What an agreement brings when it is activated, and what ends with it."""

from collections.abc import Callable

from parties.agreements import suspend
from sandbox import SandboxPlatform
from tests.cast import CPA, MSA, Cast, a_location, push
from tests.ocpi.objects import a_tariff, a_token

Tell = Callable[[], None]
Deliver = Callable[[], int]


def test_activation_brings_both_sides_together(
    cast: Cast, tell_all: Tell, deliver_all: Deliver
) -> None:
    """Each gets what the other has, in full, and how it stands; suspension stops both at once."""
    cpo, emsp = cast["P1"], cast["P2"]
    push(cpo, a_location())
    cpo.publish("tariffs", a_tariff())
    emsp.publish("tokens", a_token())
    deliver_all()
    tell_all()
    for platform in (cpo, emsp):
        platform.forget()
    assert cpo.clients.statuses() == emsp.clients.statuses() == {}

    cast.agree(("NL-CPA", "DE-MSA"))
    tell_all()
    deliver_all()

    assert [_pushed(cpo), _pushed(emsp)] == [["tokens"], ["locations", "tariffs"]]
    assert cpo.clients.statuses() == {"DE-MSA EMSP": "CONNECTED"}
    assert emsp.clients.statuses() == {"NL-CPA CPO": "CONNECTED"}

    push(cpo, a_location(CPA, 2))
    suspend(CPA, MSA)
    for platform in (cpo, emsp):
        platform.forget()
    deliver_all()
    assert [_pushed(cpo), _pushed(emsp)] == [[], []]


def _pushed(platform: SandboxPlatform) -> list[str]:
    """Return the modules of which objects were pushed to a platform."""
    modules = {seen.path.split("/receiver/")[1].split("/")[0] for seen in platform.seen}
    return sorted(modules - {"hubclientinfo"})
