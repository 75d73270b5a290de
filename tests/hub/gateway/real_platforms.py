"""Platforms with deviations, as tests of the wire write them."""

from collections.abc import Callable, Mapping

from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from sandbox import Answer, Responder, SandboxPlatform
from tests.cast import Cast

Pair = tuple[SandboxPlatform, SandboxPlatform]
RESULT = b'{"result":"ACCEPTED","message":[]}'
COMMANDS = {"P1": {"commands": ["RECEIVER"], "locations": ["SENDER"], "tokens": ["RECEIVER"]}}
ROUTING = ("OCPI-to-party-id", "OCPI-from-party-id")
IDS = (REQUEST_ID, CORRELATION_ID)
BARE: Mapping[str, None] = dict.fromkeys(IDS)
"""Neither id is sent."""


def joined(cast: Cast, name: str, *quirks: str, **options: object) -> SandboxPlatform:
    """Register a platform with deviations; NL-CPA and DE-MSA exchange everything."""
    platform = cast.join(name, *quirks, **options)
    other = cast["P2" if name == "P1" else "P1"]
    cast.agree(("NL-CPA", "DE-MSA"))
    platform.forget()
    other.forget()
    return platform


def altered(change: Callable[[Answer], Answer]) -> Responder:
    """Do as asked, and alter the answer."""
    return lambda call: call.send(change(call.usual()))
