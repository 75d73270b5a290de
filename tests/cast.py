"""The constant cast: who P1, P2 … are, in tests and in the conformance checklist.

P1 hosts two CPOs, P2 and P3 are eMSPs, P4 is CPO and eMSP under one name, P5 to P8 are an NSP,
a NAP, an SCSP and an OTHER. Each is a real OCPI platform on loopback that registers with the hub
by the credentials handshake the first time a test names it.
"""

import json
from contextlib import ExitStack
from io import StringIO
from typing import Any, Self

from django.core.management import call_command

from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform, Seen, object_path
from sandbox.demo.locations import location

HUB = PartyRef("NL", "HUB")
CPA, CPB = PartyRef("NL", "CPA"), PartyRef("NL", "CPB")
MSA, MSB = PartyRef("DE", "MSA"), PartyRef("FR", "MSB")
MIX = PartyRef("BE", "MIX")

ROLES = {
    "P1": [("CPO", "NL", "CPA"), ("CPO", "NL", "CPB")],
    "P2": [("EMSP", "DE", "MSA")],
    "P3": [("EMSP", "FR", "MSB")],
    "P4": [("CPO", "BE", "MIX"), ("EMSP", "BE", "MIX")],
    "P5": [("NSP", "NL", "NAV")],
    "P6": [("NAP", "NL", "NDW")],
    "P7": [("SCSP", "NL", "SCS")],
    "P8": [("OTHER", "NL", "OTH")],
    "TNM as CPO": [("CPO", "NL", "TNM")],
    "TNM as eMSP": [("EMSP", "NL", "TNM")],
    "two eMSPs": [("EMSP", "AT", "TWA"), ("EMSP", "AT", "TWB")],
}


class Cast:
    """The platforms of one test, started and registered on demand, stopped at its end."""

    def __init__(
        self, versions_url: str, *, client_info: bool = False, repeated: bool = False
    ) -> None:
        """Remember where the hub is, and whether platforms want to know who is connected.

        `repeated`: the hub is in this process, and what a handshake left may be inserted again.
        """
        self.versions_url = versions_url
        self.client_info = client_info
        self.repeated = repeated
        self._members: dict[str, SandboxPlatform] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop every platform."""
        self._stack.close()

    def __getitem__(self, name: str) -> SandboxPlatform:
        """Return a registered platform: `cast["P1"]`."""
        return self._members.get(name) or self.join(name)

    def start(self, name: str, **options: Any) -> SandboxPlatform:
        """Start a platform with options of `SandboxPlatform`, without registering it."""
        options = {"client_info": self.client_info, **options}
        platform = self._stack.enter_context(SandboxPlatform(ROLES[name], **options))
        self._members[name] = platform
        return platform

    def join(self, name: str, *quirks: str, **options: Any) -> SandboxPlatform:
        """Start a platform with options, the hub knowing its quirks, and register it."""
        platform = self.start(name, **options)

        def handshake() -> None:
            platform.register_with(self.versions_url, self.token_a(name, *quirks))

        if self.repeated:
            options = {"client_info": self.client_info, **options}
            described = (ROLES[name], quirks, sorted(options.items()))
            # Models need Django; who runs the cast's platforms beside a hub of processes does not.
            from tests import registrations  # noqa: PLC0415

            registrations.register(platform, name, described, handshake)
        else:
            handshake()
        return platform

    def token_a(self, name: str, *quirks: str) -> str:
        """Invite a platform and return its token A."""
        roles = [":".join(role) for role in ROLES[name]]
        answer = command(
            "invite_platform",
            name,
            *[f"--role={role}" for role in roles],
            *[f"--quirk={q}" for q in quirks],
        )
        return str(answer["token_a"])

    def agree(self, *pairs: tuple[str, str]) -> None:
        """Open agreements: `cast.agree(("NL-CPA", "DE-MSA"))`."""
        for cpo, emsp in pairs:
            command("agree", cpo, emsp)


def command(name: str, *arguments: str) -> Any:
    """Run a management command and return its JSON."""
    out = StringIO()
    call_command(name, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def a_location(
    owner: PartyRef = CPA, number: int = 1, *, evses: int = 2, **changes: Any
) -> dict[str, Any]:
    """Return a valid Location of an owner, with some members changed."""
    return {**location(number, owner, evses=evses), **changes}


def push(
    platform: SandboxPlatform, body: dict[str, Any], *, to: PartyRef | None = HUB, **headers: Any
) -> Result:
    """PUT an object under its own ids in its owner's name, by default addressed to the hub."""
    owner = PartyRef(body["country_code"], body["party_id"])
    path = object_path(owner, body["id"])
    return platform.hub.put("locations", "RECEIVER", path, body, to=to, sender=owner, **headers)


def route(message: Result | Seen) -> tuple[PartyRef | None, PartyRef | None]:
    """Return the TO and FROM of an answer, or of a request a platform saw."""
    found = RoutingHeaders.read(message.headers)
    return found.to, found.sender
