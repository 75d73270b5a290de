"""What ends, moves or is suspended is judged anew by the very next request, on every path.

docs/decisions/0011-answers-remembered.md. Each change is made by another connection than the hub's,
with plain SQL: the hub has to notice it by itself.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import pytest
from django.conf import LazySettings

from database import own_connection
from parties.models import Agreement, Platform
from sandbox import Result
from tests.cast import CPA, HUB, MSA, Cast, a_location, push
from tests.hub.gateway.commands import Asking, emsp_and_cpo
from tests.hub.gateway.realtime_authorization import authorize, info, says

pytestmark = pytest.mark.security("S-31")

REVOKE = "UPDATE parties_credentials SET revoked_at = now() WHERE platform_id = {caller}"
SUSPEND_CALLER = "UPDATE parties_platform SET status = 'SUSPENDED' WHERE id = {caller}"
SUSPEND_OTHER = "UPDATE parties_platform SET status = 'SUSPENDED' WHERE id = {other}"
LEAVE = "UPDATE parties_party SET is_active = false WHERE platform_id = {other}"
DISAGREE = "UPDATE parties_agreement SET state = 'SUSPENDED'"
NARROW = "UPDATE parties_agreement SET modules = '{{cdrs}}'"
END = "DELETE FROM parties_agreement"
FORGET_TOKEN = "DELETE FROM parties_credentials WHERE direction = 'OUT'"
WITHDRAW = "DELETE FROM parties_endpoint"


@dataclass(frozen=True, slots=True)
class Path:
    """One way through the hub: from a platform, about or to another."""

    send: Callable[[Asking], Result]
    caller: str
    other: str
    changes: tuple[str, ...]


def write(asking: Asking) -> Result:
    """Push a Location to the hub."""
    return push(asking.asked, a_location(CPA))


def relay(asking: Asking) -> Result:
    """Push a Location to one party."""
    return push(asking.asked, a_location(CPA), to=MSA)


def page(asking: Asking) -> Result:
    """Read a list of the hub's."""
    return asking.asker.hub.list("locations", to=HUB, sender=MSA, follow=False).pages[0]


def command(asking: Asking) -> Result:
    """Ask a party for something whose result comes later."""
    return asking.command("UNLOCK_CONNECTOR")


def driver(asking: Asking) -> Result:
    """Ask an eMSP whether a driver may charge."""
    return authorize(asking.asked)


OF_CALLER = (REVOKE, SUSPEND_CALLER)
OF_BOTH = (*OF_CALLER, SUSPEND_OTHER, LEAVE, DISAGREE, NARROW, END)
OF_PEER = (*OF_BOTH, FORGET_TOKEN, WITHDRAW)
PATHS = {
    "write": Path(write, "P1", "P2", OF_CALLER),
    "relay": Path(relay, "P1", "P2", OF_PEER),
    "page": Path(page, "P2", "P1", OF_BOTH),
    "command": Path(command, "P2", "P1", OF_PEER),
    "driver": Path(driver, "P1", "P2", OF_PEER),
}
CHANGES = [(name, change) for name, path in PATHS.items() for change in path.changes]
each_path = pytest.mark.parametrize("name", PATHS)


@pytest.fixture
def asking(cast: Cast) -> Asking:
    """P1 and P2 exchange everything; the hub has a Location of P1 and has met all of it before."""
    found = emsp_and_cpo(cast)
    found.asker.answer("/authorize", says(info()))
    push(found.asked, a_location(CPA))
    return found


def passes(result: Result) -> bool:
    """Whether a message was accepted, and of a page also whether it shows something."""
    accepted = result.http_status in {200, 201} and result.status_code == 1000
    return accepted and result.data != []


def change_in(name: str, change: str) -> str:
    """Return the SQL of a change that concerns a path."""
    ids = dict(Platform.objects.values_list("name", "pk"))
    path = PATHS[name]
    return change.format(caller=ids[path.caller], other=ids[path.other])


def elsewhere(sql: str) -> None:
    """Change something by a connection that knows nothing of the hub."""
    with own_connection.connect("tests") as other:
        other.execute(sql.encode())


@pytest.mark.parametrize("name, change", CHANGES)
def test_the_next_request_is_judged_anew(asking: Asking, name: str, change: str) -> None:
    """What passed three times passes no more once a change is committed, whoever made it."""
    send, sql = PATHS[name].send, change_in(name, change)
    assert [passes(send(asking)) for _ in range(3)] == [True] * 3
    with own_connection.connect("tests") as other, other.transaction():
        other.execute(sql.encode())
        assert passes(send(asking))
        other.execute("COMMIT")
        assert not passes(send(asking))


@each_path
def test_what_is_rolled_back_changes_nothing(asking: Asking, name: str) -> None:
    """A message passes while a change is open and after it was given up."""
    send = PATHS[name].send
    assert passes(send(asking))
    for change in PATHS[name].changes:
        with own_connection.connect("tests") as other, other.transaction(force_rollback=True):
            other.execute(change_in(name, change).encode())
            assert passes(send(asking))
        assert passes(send(asking))


@each_path
def test_nothing_passes_after_a_revocation_under_load(asking: Asking, name: str) -> None:
    """Of what eight callers send at once nothing passes that was sent after the commit."""
    send = PATHS[name].send
    seen: list[tuple[float, bool]] = []
    until = [float("inf")]

    def call() -> None:
        while (begun := time.monotonic()) < until[0]:
            seen.append((begun, passes(send(asking))))

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(call) for _ in range(8)]
        _wait(lambda: sum(passed for _, passed in seen) > 40)
        elsewhere(change_in(name, REVOKE))
        revoked = time.monotonic()
        _wait(lambda: sum(begun > revoked for begun, _ in list(seen)) > 40)
        until[0] = 0
        for each in calls:
            each.result()
    assert [passed for begun, passed in seen if begun > revoked].count(True) == 0
    assert [passed for begun, passed in seen if begun < revoked].count(True) > 40


def _wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["relay", "page", "command", "driver"])
def test_nothing_passes_after_the_last_moment_of_an_agreement(asking: Asking, name: str) -> None:
    """An agreement that ends by itself ends as one that is ended: nobody changes a row for it."""
    send = PATHS[name].send
    with own_connection.connect("tests") as other:
        [end] = other.execute(
            "UPDATE parties_agreement SET valid_until = clock_timestamp() + interval '1 s'"
            " RETURNING valid_until"
        ).fetchone() or [None]
        assert passes(send(asking))
        seen = [(_has_come(other, end), passes(send(asking))) for _ in _until(other, end)]
    assert (False, True) in seen
    assert (True, True) not in seen
    assert not passes(send(asking))


def test_nothing_passes_before_the_first_moment_of_an_agreement(asking: Asking) -> None:
    """It begins by itself, too."""
    with own_connection.connect("tests") as other:
        [begin] = other.execute(
            "UPDATE parties_agreement SET valid_from = clock_timestamp() + interval '1 s'"
            " RETURNING valid_from"
        ).fetchone() or [None]
        for _ in _until(other, begin):
            relay(asking)
        assert passes(relay(asking))


def _has_come(other: psycopg.Connection, moment: object) -> bool:
    found = other.execute("SELECT clock_timestamp() >= %s", [moment]).fetchone()
    return bool(found and found[0])


def _until(other: psycopg.Connection, moment: object) -> Iterator[None]:
    while not _has_come(other, moment):
        yield


def test_a_token_ends_at_its_moment(asking: Asking) -> None:
    """So does a token whose time of grace is over."""
    ids = dict(Platform.objects.values_list("name", "pk"))
    with own_connection.connect("tests") as other:
        [end] = other.execute(
            "UPDATE parties_credentials SET valid_until = clock_timestamp() + interval '1 s'"
            " WHERE direction = 'IN' AND platform_id = %s RETURNING valid_until",
            [ids["P1"]],
        ).fetchone() or [None]
        assert passes(write(asking))
        for _ in _until(other, end):
            write(asking)
        assert write(asking).http_status == 401


def test_a_party_that_moved_is_reached_where_it_is(asking: Asking, cast: Cast) -> None:
    """The next message goes to its new platform, and none to the one it left."""
    former, target = asking.asker, cast["P3"]
    assert passes(relay(asking))
    ids = dict(Platform.objects.values_list("name", "pk"))
    former.forget()
    elsewhere(
        f"UPDATE parties_party SET platform_id = {ids['P3']} WHERE country_code = 'DE'"  # noqa: S608
    )
    assert passes(relay(asking))
    assert former.seen == []
    assert [seen.method for seen in target.seen][-1:] == ["PUT"]
    assert former.hub.list("locations", to=HUB, sender=MSA, follow=False).pages[0].data is None


def test_a_message_goes_to_an_endpoint_where_it_is(asking: Asking) -> None:
    """The next message after a change of a URL goes to the new one."""
    assert passes(relay(asking))
    asking.asker.forget()
    elsewhere("UPDATE parties_endpoint SET url = url || '/moved' WHERE module = 'locations'")
    relay(asking)
    [seen] = asking.asker.seen
    assert "/moved/" in seen.path


def test_open_access_is_refused_at_once(asking: Asking, settings: LazySettings) -> None:
    """In open access, too, the next message after a refusal of a pair is refused."""
    settings.HUB_ACCESS = "open"
    Agreement.objects.all().delete()
    assert [passes(relay(asking)), passes(page(asking))] == [True, True]
    elsewhere(
        "INSERT INTO parties_agreement (cpo_id, emsp_id, state, modules)"
        " SELECT c.id, e.id, 'SUSPENDED', '{}' FROM parties_party c, parties_party e"
        " WHERE c.key = 'NL-CPA' AND e.key = 'DE-MSA'"
    )
    assert [passes(relay(asking)), passes(page(asking))] == [False, False]
