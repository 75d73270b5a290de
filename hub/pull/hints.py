"""What to tell the other operator about an object in quarantine."""

from collections.abc import Mapping

_HINTS: Mapping[str, str] = {
    "is no party of this platform": (
        "The platform lists objects of a party it does not represent here; add the party to its "
        "list of allowed parties, or ask it to honour OCPI-to."
    ),
    "never changes, and": (
        "A CDR is immutable: the platform has to correct it by a credit CDR and a new one."
    ),
    "not valid JSON": "The platform has to mend the JSON of this object.",
    "must be an object": "The list holds something that is no object at all.",
    "required": "The field is mandatory in OCPI; the platform has to send it.",
    "timestamp": "OCPI wants RFC 3339 in UTC, like 2026-11-21T05:32:00Z.",
    "characters": "The value is longer or shorter than the specification allows.",
    "must be": "The value has another type than the specification gives it.",
    "repeats": "Two parts of the object have the same id; the platform has to keep them apart.",
    "Token": "Nothing says whose this is: cdr_token has to name its country_code and party_id.",
}
"""By words of the finding; the first that applies."""


def hint(findings: str) -> str:
    """Return a sentence about what would help."""
    found = (sentence for words, sentence in _HINTS.items() if words in findings)
    return next(found, "Compare the object with the specification's table.")
