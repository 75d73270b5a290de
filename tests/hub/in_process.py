"""The whole hub in this process: its exchange, store and a real database, no socket."""

# ruff: noqa: S608 - SQL of the names of tables, which _meta alone knows

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from database import sql
from hub import exchange
from hub.gateway.endpoint import endpoint_of
from hub.gateway.http import Answer, Body, Received
from hub.models import Change, Evse, StoredObject
from hub.module_policy import POLICIES
from ocpi.transport.authorization import header
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import ModuleID
from sandbox import SandboxPlatform
from tests.cast import HUB
from tests.hub.carried_out import carried_out
from tests.hub.samples import Sample


@dataclass(frozen=True, slots=True)
class State:
    """All a hub keeps of a module, and what it owes to others."""

    objects: int
    revisions: int
    repeated: int
    parts: int
    changes: int
    content: str


class Hub:
    """The hub in this process, as one platform's client."""

    def __init__(self, sample: Sample, platform: SandboxPlatform) -> None:
        """Speak as the owner of a sample."""
        self.sample = sample
        routing = RoutingHeaders(to=HUB, sender=sample.owner).as_headers()
        given = {"Authorization": header(platform.hub.token), **routing}
        self._headers = {name.lower(): value for name, value in given.items()}
        self._state = _state_sql(sample)

    def send(self, method: str, path: str, body: bytes = b"") -> tuple[tuple[int, int], Any]:
        """Send a message to the RECEIVER interface; return both statuses, envelope and answer."""
        base = f"/ocpi/2.2.1/receiver/{self.sample.module}"
        answer = self._answer(method, f"{base}/{path}" if path else base, body)
        envelope = json.loads(answer.body)
        assert answer.headers["OCPI-from-party-id"] == "HUB"
        return (answer.http_status, envelope["status_code"]), (envelope, answer)

    def _answer(self, method: str, target: str, body: bytes) -> Answer:
        path, _, query = target.partition("?")
        endpoint = endpoint_of(path)
        assert endpoint is not None
        ids = MessageIds.read(self._headers)
        received = Received(method, path, query, self._headers, ids, Body(body))
        return carried_out(exchange.answer(received, endpoint))

    def state(self) -> State:
        """Return all there is."""
        [found] = sql.rows(self._state, {})
        return State(*found)

    def forget(self) -> None:
        """Keep nothing, and owe nothing."""
        for rows in (Evse.objects.all(), Change.objects.all(), rows_of(self.sample)):
            rows._raw_delete(rows.db)


def _state_sql(sample: Sample) -> str:
    policy = POLICIES[ModuleID(sample.module)]
    table = policy.model._meta.db_table
    everything = "o.text || o.object_id || o.last_updated_text || o.last_updated::text"
    parts, part_text = "0", "''"
    if policy.part_model is not None:
        part = policy.part_model._meta.db_table
        parts = f"(SELECT count(*) FROM {part})"
        part_text = f"(SELECT string_agg(p.text || p.generation, '' ORDER BY id) FROM {part} p)"
    return f"""SELECT count(*), coalesce(sum(revision), 0), coalesce(sum(repeated), 0), {parts},
        (SELECT count(*) FROM hub_change),
        coalesce(md5(string_agg({everything}, '' ORDER BY seq) || coalesce({part_text}, '')), '')
        FROM {table} o"""


def rows_of(sample: Sample) -> QuerySet[StoredObject]:
    """Return the stored objects of a sample's module."""
    return POLICIES[ModuleID(sample.module)].model._default_manager.all()
