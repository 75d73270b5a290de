"""The hub in the operators' console: what it keeps, who has been told, how platforms connect."""

from hub.admin import dead_letters, locations, operators, platforms, subscriptions

__all__ = ["dead_letters", "locations", "operators", "platforms", "subscriptions"]
