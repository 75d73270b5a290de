"""The colours of EVSE statuses. Spec: 2.2.1 mod_locations, Status enum."""

from django.utils.safestring import SafeString

from console.base import Tone, badge

EVSE_TONES = {
    "AVAILABLE": "good",
    "CHARGING": "busy",
    "RESERVED": "busy",
    "BLOCKED": "care",
    "INOPERATIVE": "bad",
    "OUTOFORDER": "bad",
}
"""In charts: classes of console.css."""
_BADGES = {"good": Tone.GOOD, "busy": Tone.BUSY, "care": Tone.CARE, "bad": Tone.BAD}


def status_tone(status: str) -> str:
    """Return the colour of a status in a chart."""
    return EVSE_TONES.get(status, "quiet")


def badge_tone(status: str) -> Tone:
    """Return the colour of a status as a badge."""
    return _BADGES.get(status_tone(status), Tone.QUIET)


def status_badge(status: str) -> SafeString:
    """Show a status as a badge in its colour."""
    return badge(status, badge_tone(status))
