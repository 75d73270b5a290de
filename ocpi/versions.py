"""The versions of OCPI this code speaks, oldest first, and how two sides agree on one.

Specification: version_information_endpoint.
"""

from collections.abc import Iterable, Mapping

from ocpi import v2_2, v2_2_1
from ocpi.modules import Version

__all__ = ["VERSIONS", "Version", "latest_mutual"]

VERSIONS: Mapping[str, Version] = {
    version.number: version for version in (v2_2.VERSION, v2_2_1.VERSION)
}


def latest_mutual(numbers: Iterable[str]) -> Version | None:
    """Pick the newest of the offered versions that is spoken here."""
    offered = frozenset(numbers)
    mutual = [version for number, version in VERSIONS.items() if number in offered]
    return mutual[-1] if mutual else None
