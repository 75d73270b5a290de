"""One demo process from its start to its end: it registers and does the business of its roles.

A CPO shows its tariffs and locations and sells charging; an eMSP issues tokens, lets drivers charge
by app, blocks a token once it was billed for a session, and checks each CDR; an SCSP steers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from requests import RequestException

from ocpi.errors import NotFound, OcpiError
from ocpi.types import ModuleID, PartyRef, Role
from sandbox.client import Refused
from sandbox.demo import receipts
from sandbox.demo.actor import Actor, Business, Plan
from sandbox.demo.cdr_check import Auditor
from sandbox.demo.cpo import CpoBusiness
from sandbox.demo.emsp import EmspBusiness
from sandbox.demo.events import Events
from sandbox.demo.push import RETRY_SECONDS, Pusher, may_succeed_later
from sandbox.demo.scsp import ScspBusiness
from sandbox.demo.signals import Signals
from sandbox.interfaces import is_result
from sandbox.platform import SandboxPlatform
from sandbox.recorder import Seen
from sandbox.server import Answer


@dataclass(slots=True)
class Demo:
    """One process: what it does, what it received and what it found out."""

    platform: SandboxPlatform
    plan: Plan
    events: Events
    received: int = 0
    signals: Signals = field(init=False)
    actor: Actor = field(init=False)
    correlations: dict[str, str] = field(default_factory=dict)
    auditor: Auditor = field(init=False)

    def __post_init__(self) -> None:
        """Listen to the signals and to what the platform answers."""
        self.signals = Signals(self.write_report)
        pusher = Pusher(self.platform, self.events, self.signals)
        self.actor = Actor(self.platform, self.plan, self.events, self.signals, pusher)
        self.auditor = Auditor(self.platform.own, self.platform.objects, self._report_finding)
        self.platform.watchers.append(self._watch)

    def run(self) -> int:
        """Live until SIGTERM or SIGINT; the exit code."""
        self.signals.install()
        with self.platform:
            registered = self._register()
            if registered:
                self._do_business()
                self.signals.run_errands()
        self.write_report()
        self.events.emit("stopped")
        return 0 if registered or self.signals.is_ending else 1

    def write_report(self) -> None:
        """Write what this platform holds, all at once."""
        if self.plan.report is None:
            return
        own, received = self.platform.own, self.platform.objects
        report = {
            "party": str(self.platform.party),
            "objects": {
                module: own[module].objects() | received[module].objects() for module in own
            },
            "findings": self.auditor.findings,
            "outcomes": self.actor.outcomes,
            "sent": self.actor.pusher.sent,
            "received": self.received,
        }
        part = self.plan.report.with_name(self.plan.report.name + ".part")
        part.write_text(json.dumps(report, indent=1, sort_keys=True))
        part.replace(self.plan.report)
        self.events.emit("report", path=str(self.plan.report))

    # --- registering -----------------------------------------------------------------------------

    def _register(self) -> bool:
        """Register, waiting for a hub that is not up yet, but not for ever."""
        deadline = monotonic() + self.plan.patience
        while not self.signals.is_ending:
            try:
                self.platform.register_with(self.plan.hub, self.plan.token_a)
            except (RequestException, Refused, OcpiError, LookupError) as error:
                if not _may_succeed_later(error) or monotonic() > deadline:
                    self.events.emit("failed", reason=str(error))
                    return False
                self.events.emit("waiting", reason=type(error).__name__)
                self.signals.wait(RETRY_SECONDS)
            else:
                found = self.platform.hub.connected
                self.events.emit("registered", hub=str(found.party), version=found.version)
                return True
        return False

    # --- business --------------------------------------------------------------------------------

    def _do_business(self) -> None:
        businesses = list(self._businesses())
        for each in businesses:
            each.open()
        for each in businesses:
            each.go_on()
        if self.plan.updates is not None or not self._parties(Role.CPO):
            self.events.emit("done", sent=self.actor.pusher.sent)

    def _businesses(self) -> Iterator[Business]:
        operators = self._parties(Role.CPO)
        if operators:
            yield CpoBusiness(self.actor, operators)
        for party in self._parties(Role.EMSP):
            yield EmspBusiness(
                self.actor, party, lambda: self.received > 0, lambda: self.auditor.findings
            )
        for party in self._parties(Role.SCSP):
            yield ScspBusiness(self.actor, party)

    def _parties(self, role: Role) -> list[PartyRef]:
        return [party for its_role, party in self.platform.roles if its_role is role]

    # --- receiving -------------------------------------------------------------------------------

    def _watch(self, seen: Seen, answer: Answer) -> None:
        try:
            endpoint = self.platform.addresses.find(seen.route)
        except NotFound:
            return
        if is_result(endpoint, seen.method):
            self.actor.note_result(seen)
        if endpoint.module == ModuleID.HUBCLIENTINFO:
            self.events.emit("connected", parties=self.platform.clients.statuses())
            return
        receipt = receipts.read(endpoint, seen, answer)
        if receipt is None:
            return
        self.correlations[receipt.facts["path"]] = receipt.facts["correlation_id"]
        self.received += receipt.accepted
        taken = "shown" if self._parties(Role.SCSP) else "received"
        self.events.emit(taken if receipt.accepted else "refused", at=seen.unix, **receipt.facts)
        if receipt.accepted and "cdrs" in self.auditor.received:
            self.auditor.look()

    def _report_finding(self, cdr: dict[str, Any], found: list[str]) -> None:
        self.events.emit(
            "disagrees" if found else "agrees",
            session=cdr["session_id"],
            cdr=cdr["id"],
            kwh=cdr["total_energy"],
            cost=cdr["total_cost"]["incl_vat"],
            currency=cdr["currency"],
            reason=", ".join(found),
            correlation_id=self.correlations.get(
                f"{cdr['country_code']}/{cdr['party_id']}/{cdr['id']}"
            ),
        )


def _may_succeed_later(error: Exception) -> bool:
    """Whether a registration may succeed later: the hub is not up, or not well."""
    if isinstance(error, Refused):
        return may_succeed_later(error.result)
    return isinstance(error, RequestException)
