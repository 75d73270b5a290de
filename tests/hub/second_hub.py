"""Another hub, NL-HB2, connected to this one as a platform: it carries FR-XXX and FR-YYY.

Its lists have the objects of all its parties.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ocpi.types import PartyRef
from sandbox import SandboxPlatform
from tests.cast import Cast, command

HB2, XXX, YYY = PartyRef("NL", "HB2"), PartyRef("FR", "XXX"), PartyRef("FR", "YYY")
LISTED = ("HUB:NL:HB2", "CPO:FR:XXX", "EMSP:FR:YYY")
"""What the operator agreed with it; it names itself alone when it registers (A-86)."""


@contextmanager
def second_hub(cast: Cast) -> Iterator[SandboxPlatform]:
    """Start and register it, with agreements of its parties and ours: it has seen nothing yet."""
    with SandboxPlatform([("HUB", "NL", "HB2")], ignore_to=True) as platform:
        answer = command("invite_platform", "HB2", *[f"--role={role}" for role in LISTED])
        platform.register_with(cast.versions_url, answer["token_a"])
        for emsp in (cast["P2"], cast["P1"]):
            emsp.forget()
        cast.agree(("FR-XXX", "DE-MSA"), ("NL-CPA", "FR-YYY"))
        platform.forget()
        yield platform
