"""The hub in figures: the dashboard, the map of its locations, the uptime of its EVSEs.

docs/architecture.md#figures. Console and commands show the same; nothing here reads a row for each
message, object or EVSE.
"""
