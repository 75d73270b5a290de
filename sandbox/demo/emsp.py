"""The business of an eMSP in the demo: it issues tokens, and its drivers charge by app.

Spec: 2.2.1 mod_tokens, mod_commands. A driver starts and stops a session and reserves an EVSE;
later a card is lost, and blocked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

from ocpi.types import ModuleID, PartyRef, fold, format_datetime
from sandbox.demo.actor import Actor, Request
from sandbox.demo.charging import now
from sandbox.demo.push import Message
from sandbox.demo.tokens import masked, token
from sandbox.object_store import read_object
from sandbox.patch import elements

PATIENCE_FOR_A_CPO = 10.0
PATIENCE_FOR_A_SESSION = 10.0
"""Seconds."""
DRIVER_SECONDS = 3.0
"""How long a driver charges, or keeps a reservation."""
RESERVED_FOR = timedelta(minutes=15)
Json = dict[str, Any]


@dataclass(slots=True)
class EmspBusiness:
    """One eMSP of a process; `has_received` and `was_billed` look at what came so far."""

    actor: Actor
    party: PartyRef
    has_received: Callable[[], object]
    was_billed: Callable[[], object]

    def go_on(self) -> None:
        """Let drivers charge by app, and one lose a card."""
        if self.actor.plan.tokens > 1 and self.actor.plan.journey:
            self._charge_by_app()
            self._reserve()
        if self.actor.plan.tokens:
            self._block()

    def open(self) -> None:
        """Issue the tokens once there is somewhere to charge, or after some seconds without."""
        patience = PATIENCE_FOR_A_CPO if self.actor.plan.tokens else 0
        self.actor.wait_until(self.has_received, patience)
        for index in range(1, self.actor.plan.tokens + 1):
            made = self._token(index, format_datetime(now()))
            text = f"issued {made['type']} token {masked(made['uid'])}"
            self.actor.push("PUT", "tokens", self.party, made, text=text)

    def _block(self) -> None:
        """Block the first token issued, after the first CDR; its twin of another type remains."""
        if not self.actor.wait_until(self.was_billed):
            return
        lost = self._token(1, "")
        body = {"valid": False, "last_updated": format_datetime(now())}
        text = f"blocked {lost['type']} token {masked(lost['uid'])}"
        ids = (str(lost["uid"]),)
        self.actor.pusher.push(
            Message("PATCH", "tokens", self.party, ids, body, lost["type"], text)
        )

    # --- by app --------------------------------------------------------------------------------

    def _charge_by_app(self) -> None:
        """Start at the first EVSE that takes the driver, and stop after a while."""
        reference = str(uuid4())
        self._order_at_free_evse("START_SESSION", {"authorization_reference": reference})
        if not self.actor.wait_until(lambda: self._session(reference), PATIENCE_FOR_A_SESSION):
            return
        self.actor.signals.wait(DRIVER_SECONDS)
        name = str((self._session(reference) or {})["id"])
        self.actor.order(self.party, _command("STOP_SESSION", {"session_id": name}, f"of {name}"))

    def _reserve(self) -> None:
        """Reserve an EVSE, and cancel that after a while."""
        name = f"R-{uuid4().hex[:8]}"
        expiry = format_datetime((now() + RESERVED_FOR).replace(microsecond=0))
        self._order_at_free_evse("RESERVE_NOW", {"reservation_id": name, "expiry_date": expiry})
        self.actor.signals.wait(DRIVER_SECONDS)
        body = {"reservation_id": name}
        self.actor.order(self.party, _command("CANCEL_RESERVATION", body, f"of {name}"))

    def _order_at_free_evse(self, command: str, about: Mapping[str, str]) -> None:
        """Try one free EVSE after the other: somebody else may have been faster."""
        driver = self._token(2, format_datetime(now()))
        chance = Random(f"{self.party}/{command}")  # noqa: S311 - nothing here is secret
        outcome = ""
        while outcome != "ACCEPTED" and not self.actor.signals.is_ending:
            if not self.actor.wait_until(lambda: list(self._free())):
                return
            location_id, evse_uid = chance.choice(list(self._free()))
            where = {"location_id": location_id, "evse_uid": evse_uid}
            text = f"at {location_id}/{evse_uid} for {masked(driver['uid'], driver['type'])}"
            body = {"token": driver, **where, **about}
            outcome = self.actor.order(self.party, _command(command, body, text))
            self.actor.signals.wait(0 if outcome == "ACCEPTED" else 1)

    def _free(self) -> Iterator[tuple[str, str]]:
        store = self.actor.platform.objects["locations"]
        for key in store:
            location = read_object(store[key])
            for evse in elements(location, "evses"):
                if evse["status"] == "AVAILABLE":
                    yield str(location["id"]), str(evse["uid"])

    def _session(self, reference: str) -> Mapping[str, Any] | None:
        """Find the session that was started with this reference."""
        store = self.actor.platform.objects["sessions"]
        found = (read_object(store[key]) for key in store)
        key = fold(reference)
        return next((e for e in found if fold(str(e.get("authorization_reference"))) == key), None)

    def _token(self, index: int, updated: str) -> Json:
        return token(index, self.party, updated, seed=self.actor.plan.seed)


def _command(name: str, body: Mapping[str, Any], text: str) -> Request:
    return Request(name, "POST", ModuleID.COMMANDS, name, text, body)
