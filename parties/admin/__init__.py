"""The parties in the operators' console; `hub.admin` adds delivery to the platforms' page."""

from parties.admin import agreements, parties

__all__ = ["agreements", "parties"]
