"""The answer to a message, as it goes out: no framework knows of it yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocpi.errors import Finding


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that is JSON already, with its headers; `findings` are what its sender did oddly."""

    body: bytes
    http_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
