"""An eMSP that lets an SCSP steer: what the SCSP asks of it, it asks of the CPO in its own name.

Each side gets a session id and a `response_url` of its own, as "via the MSP" in the specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from sandbox import Result, SandboxPlatform
from sandbox.misbehaviour import reply
from sandbox.server import Call
from tests.cast import CPA, MSA, Cast
from tests.hub.gateway.commands import SCS, Asking, Json, callback_in, forget, joined, results
from tests.ocpi.objects import a_session

MODULES: Mapping[str, tuple[str, ...]] = {
    "tokens": ("SENDER",),
    "sessions": ("RECEIVER",),
    "chargingprofiles": ("SENDER", "RECEIVER"),
}
HERE, THERE = "15", "of/MSA 15"
"""The id of the session at the CPO, and the one under which the eMSP shows it to the SCSP."""


@dataclass(frozen=True, slots=True)
class Delegating:
    """P7 asks P2, which asks P1, all through the hub."""

    cpo: SandboxPlatform
    emsp: SandboxPlatform
    scsp: SandboxPlatform

    @property
    def outer(self) -> Asking:
        """The SCSP asks the eMSP."""
        return Asking(self.scsp, self.emsp, SCS, MSA)

    @property
    def inner(self) -> Asking:
        """The eMSP asks the CPO."""
        return Asking(self.emsp, self.cpo, MSA, CPA)

    def steer(self, method: str) -> Result:
        """Let the SCSP ask about the session it knows by the eMSP's id."""
        suffix = quote(THERE, safe="")
        if method != "PUT":
            suffix += f"?response_url={quote(self.outer.url, safe='')}"
        return self.outer.profile(method, suffix)

    def show(self) -> Result:
        """Let the eMSP show the session to the SCSP as one of its own."""
        session = a_session(country_code="DE", party_id="MSA", id=THERE)
        path = f"DE/MSA/{quote(THERE, safe='')}"
        return self.emsp.hub.put("sessions", "RECEIVER", path, session, to=SCS, sender=MSA)

    def report(self, result: Json) -> tuple[Result, Result]:
        """Send the CPO's result to the eMSP, which sends it on to the SCSP."""
        asked = next(seen for seen in self.emsp.seen if "/receiver/chargingprofiles" in seen.path)
        first = self.inner.result(result)
        [heard] = results(self.emsp)
        return first, self.outer.result(heard.body, callback_in(asked))


def delegating(cast: Cast) -> Delegating:
    """Register the three; the agreements are those of the eMSP with either of the others."""
    cpo, scsp = joined(cast, "P1"), joined(cast, "P7")
    emsp = joined(cast, "P2", modules=MODULES)
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-SCS", "DE-MSA"))
    found = Delegating(cpo, emsp, scsp)
    emsp.answer("/receiver/chargingprofiles", lambda call: _ask_on(found, call))
    forget(cpo, emsp, scsp)
    return found


def _ask_on(way: Delegating, call: Call) -> None:
    """Ask the CPO the same, and answer as it does."""
    method = call.seen.method
    suffix = HERE if method == "PUT" else f"{HERE}?response_url={quote(way.inner.url, safe='')}"
    reply(way.inner.profile(method, suffix).data)(call)
