"""Requests whose results come later, as a test writes them: who asks, who is asked, and results.

The platforms answer what the test says, so that nothing comes of a request by itself.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform, Seen
from sandbox.client import Body
from sandbox.misbehaviour import say
from tests.cast import CPA, MSA, Cast
from tests.ocpi.objects import a_token

Json = dict[str, Any]
SCS = PartyRef("NL", "SCS")
RESULTS = "/results/7?key=a%20b&n=2"
"""Where an asker wants results: below its own origin, with a query of its own."""

ACCEPTED = {
    "result": "ACCEPTED",
    "timeout": 30,
    "message": [{"language": "en", "text": "It is on its way"}],
}
NOTED = {"result": "ACCEPTED", "timeout": 30}
PROFILE: Json = {
    "charging_profile": {
        "start_date_time": "2026-11-21T06:00:00Z",
        "duration": 900,
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": 0, "limit": 11000.0}],
    }
}
ACTIVE: Json = {"start_date_time": "2026-11-21T06:00:00Z", **PROFILE}


def joined(cast: Cast, name: str, **options: Any) -> SandboxPlatform:
    """Register a platform of the cast that accepts what it is asked and takes every result."""
    platform = cast.join(name, **options)
    platform.answer("/receiver/commands", in_envelope(ACCEPTED))
    platform.answer("/receiver/chargingprofiles", in_envelope(NOTED))
    platform.answer("/sender/chargingprofiles", in_envelope())
    platform.answer("/results/", in_envelope())
    return platform


def in_envelope(data: object = None, status_code: int = 1000, *, http_status: int = 200) -> Any:
    """Answer with this data in an envelope."""
    return say(http_status, enveloped(data, status_code))


def enveloped(data: object = None, status_code: int = 1000) -> bytes:
    """Put data into an envelope, spaced as nobody else does it."""
    data_member = {} if data is None else {"data": data}
    envelope = {**data_member, "status_code": status_code, "timestamp": "2026-01-01T00:00:00Z"}
    return json.dumps(envelope, indent=1).encode()


@dataclass(frozen=True, slots=True)
class Asking:
    """A party that asks another through the hub, and what came of it."""

    asker: SandboxPlatform
    asked: SandboxPlatform
    party: PartyRef = MSA
    receiver: PartyRef = CPA
    headers: dict[str, str | None] = field(default_factory=dict)

    def by(self, asker: SandboxPlatform, party: PartyRef) -> "Asking":
        """Let another party ask the same."""
        return replace(self, asker=asker, party=party)

    @property
    def url(self) -> str:
        """Where the asker wants its results."""
        return f"{self.asker.addresses.origin}{RESULTS}"

    def command(self, name: str, body: Body = None, **how: Any) -> Result:
        """Send a command; by default a right one, to the receiver."""
        content = self.body(name) if body is None else body
        return self._send("POST", "commands", name, content, **how)

    def profile(self, method: str, suffix: str = "S1", body: Body = None, **how: Any) -> Result:
        """Send a request about a charging profile; a PUT has a right body by default."""
        content = {**PROFILE, "response_url": self.url} if method == "PUT" else None
        return self._send(
            method, "chargingprofiles", suffix, content if body is None else body, **how
        )

    def _send(self, method: str, module: str, suffix: str, body: Body, **how: Any) -> Result:
        routing = {"to": self.receiver, "sender": self.party, **self.headers, **how}
        return self.asker.hub.send(method, module, "RECEIVER", suffix, body, **routing)

    def body(self, name: str, **changes: object) -> Json:
        """Make the body of a command, right in every field."""
        return {"response_url": self.url, **self._about(name), **changes}

    def _about(self, name: str) -> Json:
        token = a_token(country_code=self.party.country_code, party_id=self.party.party_id)
        match name:
            case "STOP_SESSION":
                return {"session_id": "S1"}
            case "CANCEL_RESERVATION":
                return {"reservation_id": "R1"}
            case "UNLOCK_CONNECTOR":
                return {"location_id": "LOC1", "evse_uid": "3256", "connector_id": "1"}
            case "START_SESSION":
                return {"token": token, "location_id": "LOC1", "evse_uid": "3256"}
        expiry = {"expiry_date": "2026-11-22T06:00:00Z", "reservation_id": "R1"}
        return {"token": token, **expiry, "location_id": "LOC1"}

    @property
    def seen(self) -> Seen:
        """What the asked platform saw last."""
        return self.asked.seen[-1]

    @property
    def callback(self) -> str:
        """The URL the asked platform was given last."""
        return callback_in(self.seen)

    def result(
        self, body: Body, url: str | None = None, *, sender: PartyRef | None = None, **headers: Any
    ) -> Result:
        """Let the asked platform send a result, by default to the URL it got last."""
        routing = {
            "OCPI-from-country-code": (sender or self.receiver).country_code,
            "OCPI-from-party-id": (sender or self.receiver).party_id,
            "OCPI-to-country-code": self.party.country_code,
            "OCPI-to-party-id": self.party.party_id,
        }
        return self.asked.hub.call("POST", url or self.callback, body, **{**routing, **headers})


def callback_in(seen: Seen) -> str:
    """Return the response_url of a request, in its body or its query."""
    if seen.body:
        found: Any = seen.json
        return str(found["response_url"])
    [url] = parse_qs(urlsplit(seen.path).query)["response_url"]
    return url


def emsp_and_cpo(cast: Cast) -> Asking:
    """Let DE-MSA ask NL-CPA: both registered, with an agreement, nothing seen yet."""
    asked, asker = joined(cast, "P1"), joined(cast, "P2")
    cast.agree(("NL-CPA", "DE-MSA"))
    forget(asked, asker)
    return Asking(asker, asked)


def forget(*platforms: SandboxPlatform) -> None:
    """Forget how they came to be here."""
    for platform in platforms:
        platform.forget()


def results(platform: SandboxPlatform) -> list[Seen]:
    """Return the results that came to a platform, oldest first."""
    return [seen for seen in platform.seen if seen.method == "POST" and "/results/" in seen.path]


def answered(result: Result) -> tuple[int, int | None]:
    """Return both statuses."""
    return result.http_status, result.status_code
