"""Hundreds of platforms register at once, while the workers bring everything else in line."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
import requests

from ocpi.transport.authorization import header
from sandbox import SandboxPlatform
from tests.e2e.hub_processes import Hub
from tests.parties.wire import code, offer

pytestmark = [pytest.mark.timeout(300), pytest.mark.security("S-16")]

NUMBER = 300
AT_ONCE = 4
READERS = 3
"""So many eMSPs have an agreement with each CPO, made before anybody registered."""
WITHIN_SECONDS = 30
COUNTRY = "XR"
ROLES = [(("CPO", "EMSP")[number % 2], f"{number:03}") for number in range(NUMBER)]

PREPARE = """
import json, sys
import django
django.setup()
from django.db import transaction
from parties.registration.invitation import AllowedRole, invite
from parties.models import Agreement, AgreementState, Party

lines, readers = json.loads(sys.argv[1]), int(sys.argv[2])
with transaction.atomic():
    tokens = [invite(line, roles=[AllowedRole.parse(line)]).token for line in lines]
    own = Party.objects.filter(platform__name__in=lines).order_by("key")
    cpos, emsps = own.filter(role="CPO"), list(own.filter(role="EMSP"))
    Agreement.objects.bulk_create(
        Agreement(cpo=cpo, emsp=emsps[(place + far) % len(emsps)], state=AgreementState.ACTIVE)
        for place, cpo in enumerate(cpos)
        for far in range(readers)
    )
with open(sys.argv[3], "w") as file:
    json.dump(tokens, file)
"""
CONNECTED = "SELECT count(*) FROM parties_platform WHERE name LIKE %s AND status = 'CONNECTED'"
TOLD = "SELECT count(*) FROM hub_clientinfo WHERE country_code = %s AND status = 'CONNECTED'"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = %s"

Answer = tuple[int, int]


@dataclass
class Crowd:
    """The platforms, all of them one server: who is meant the token says, and the roles offered."""

    hub: Hub
    peer: SandboxPlatform
    tokens: list[str]
    own: dict[int, str] = field(default_factory=dict)
    """The token each of them learned last."""

    def register(self, session: requests.Session, number: int) -> Answer:
        """POST the credentials with token A."""
        role, party = ROLES[number]
        claimed = {"role": role, "country_code": COUNTRY, "party_id": party}
        body = offer(self.peer, roles=[{**claimed, "business_details": {"name": party}}])
        answer = self._call(session, "POST", self.tokens[number], json=body)
        if answer.ok:
            self.own[number] = answer.json()["data"]["token"]
        return code(answer)

    def use(self, session: requests.Session, number: int) -> Answer:
        """Use the new token."""
        return code(self._call(session, "GET", self.own[number]))

    def leave(self, session: requests.Session, number: int) -> Answer:
        """End the registration."""
        return code(self._call(session, "DELETE", self.own[number]))

    def _call(
        self, session: requests.Session, method: str, token: str, **more: Any
    ) -> requests.Response:
        url, headers = f"{self.hub.url}/ocpi/2.2.1/credentials", {"Authorization": header(token)}
        return session.request(method, url, headers=headers, timeout=20, **more)


@pytest.fixture
def crowd(hub: Hub) -> Iterator[Crowd]:
    """Invite all, and let them agree."""
    answer = hub.folder / "crowd.json"
    lines = [f"{role}:{COUNTRY}:{party}" for role, party in ROLES]
    hub.run("crowd", "-c", PREPARE, json.dumps(lines), str(READERS), str(answer))
    with SandboxPlatform([("CPO", COUNTRY, "000"), ("EMSP", COUNTRY, "000")]) as peer:
        yield Crowd(hub, peer, json.loads(answer.read_text()))


def all_of(do: Callable[[requests.Session, int], Answer]) -> Counter[Answer]:
    """Let each do something, over four connections that stay open; count the answers."""

    def some(first: int) -> list[Answer]:
        with requests.Session() as session:
            return [do(session, number) for number in range(first, NUMBER, AT_ONCE)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(answer for found in pool.map(some, range(AT_ONCE)) for answer in found)


def number_of(hub: Hub, sql: str, parameter: str) -> int:
    """Return what a statement counts."""
    with psycopg.connect(hub.servers.database_url) as connection:
        [found] = connection.execute(sql.encode(), [parameter]).fetchone() or [0]
    return int(found)


def deadlocks(hub: Hub) -> int:
    """Return how many transactions PostgreSQL had to break."""
    return number_of(hub, DEADLOCKS, hub.servers.database_url.rpartition("/")[2])


def is_told(hub: Hub, number: int) -> bool:
    """Wait until the workers have every pair of partners down as connected."""
    end = time.monotonic() + WITHIN_SECONDS
    while (found := number_of(hub, TOLD, COUNTRY)) < number and time.monotonic() < end:
        time.sleep(0.2)
    return found == number


def test_hundreds_register_and_each_learns_its_token(hub: Hub, crowd: Crowd) -> None:
    """None is stored and refused; each may repeat its POST until the token it got is used."""
    rightly, broken = {(200, 1000): NUMBER}, deadlocks(hub)

    for do in (crowd.register, crowd.register, crowd.use):
        assert all_of(do) == rightly, do.__name__
    assert all_of(crowd.register) == {(401, 2001): NUMBER}

    assert number_of(hub, CONNECTED, f"%:{COUNTRY}:%") == NUMBER
    assert is_told(hub, NUMBER * READERS)
    assert deadlocks(hub) == broken
    assert all_of(crowd.leave) == rightly
