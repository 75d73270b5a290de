"""Real-time authorization as a test writes it: who asks, what an eMSP says."""

import json

from ocpi.types import PartyRef
from sandbox import Responder, Result, SandboxPlatform
from sandbox.misbehaviour import say
from sandbox.server import Call
from tests.cast import CPA, MSA, Cast
from tests.ocpi.objects import Json, a_token

AT = {"location_id": "LOC1", "evse_uids": ["3256"]}
TWA = PartyRef("AT", "TWA")


def info(allowed: str = "ALLOWED", **token: object) -> Json:
    """Make an AuthorizationInfo."""
    return {
        "allowed": allowed,
        "token": a_token(**token),
        "location": AT,
        "authorization_reference": "AUTH-1",
        "info": {"language": "de", "text": "Guten Tag, Zo\u00eb"},
        "x_unknown": [1.50, None],
    }


def says(data: object, *, message: str = "fine") -> Responder:
    """Answer with this data in an envelope."""
    envelope = {
        "status_code": 1000,
        "status_message": message,
        "data": data,
        "timestamp": "2026-01-01T00:00:00Z",
    }
    return say(200, json.dumps(envelope).encode())


def later(seconds: float, responder: Responder) -> Responder:
    """Answer so, but only after that many seconds."""

    def respond(call: Call) -> None:
        call.pause(seconds)
        responder(call)

    return respond


def authorize(
    cpo: SandboxPlatform,
    suffix: str = "TOKEN-1/authorize",
    body: object = AT,
    *,
    to: PartyRef | None = MSA,
    sender: PartyRef = CPA,
) -> Result:
    """Ask whether a driver may charge, by default DE-MSA as NL-CPA."""
    return cpo.hub.post("tokens", "SENDER", suffix, body, to=to, sender=sender)


def in_business(cast: Cast) -> Cast:
    """P1 with agreements with DE-MSA and FR-MSB, which all answer what they are told to."""
    for name in ("P1", "P2", "P3"):
        cast[name].forget()
    cast.agree(("NL-CPA", "DE-MSA"), ("NL-CPA", "FR-MSB"))
    return cast
