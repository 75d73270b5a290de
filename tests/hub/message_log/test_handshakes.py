"""A handshake in the log: whose it is although nobody is registered yet, and what belongs to it."""

import pytest
from django.utils import timezone

from parties.models import Credentials
from parties.registration.invitation import AllowedRole, prepare
from parties.registration.outbound import register
from sandbox.client import Refused
from sandbox.misbehaviour import say
from tests.cast import Cast
from tests.hub.message_log.conftest import Logged
from tests.parties.wire import Wire, code


def test_a_registration_is_one_journey_of_its_platform(cast: Cast, logged: Logged) -> None:
    """What the hub asks while a POST is open carries the correlation id of that POST."""
    cast["P1"]
    rows = logged()
    [post] = [row for row in rows if row.method == "POST"]
    asked = [row for row in rows if row.direction == "out"]
    assert {row.correlation_id for row in asked} == {post.correlation_id}
    assert {row.platform for row in rows} == {"P1"}


def test_a_refused_registration_is_its_platforms_all_the_same(cast: Cast, logged: Logged) -> None:
    """Where the callback fails nothing is registered, and the log still names the platform."""
    platform = cast.start("P1")
    with platform.answer("GET", say(500, b"{}")), pytest.raises(Refused):
        platform.register_with(cast.versions_url, cast.token_a("P1"))
    assert {row.platform for row in logged()} == {"P1"}


def test_the_hubs_own_registration_is_one_journey(cast: Cast, logged: Logged) -> None:
    """Versions, details and POST belong together."""
    platform = cast.start("P1")
    row = prepare("P1", roles=[AllowedRole.parse("CPO:NL:CPA"), AllowedRole.parse("CPO:NL:CPB")])
    register(row, versions_url=platform.url, token_a=platform.invite())
    asked = [row for row in logged() if row.direction == "out"]
    assert [row.method for row in asked] == ["GET", "GET", "POST"]
    assert len({row.correlation_id for row in asked}) == 1
    assert {row.platform for row in asked} == {"P1"}


def test_a_refused_token_is_still_somebodys(cast: Cast, logged: Logged) -> None:
    """A token that was withdrawn or expired names its platform; an unknown one nobody."""
    token, wire = cast.token_a("P1"), Wire(cast.versions_url)
    Credentials.objects.update(revoked_at=timezone.now())
    assert code(wire.get(token=token)) == (401, 2001)
    assert code(wire.get(token="not-a-token")) == (401, 2001)
    assert [row.platform for row in logged()] == ["P1", ""]
