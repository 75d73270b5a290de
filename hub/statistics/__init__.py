"""The hub in figures: how it stands, where its EVSEs are, how they were.

docs/architecture.md#figures. Console and commands show the same; nothing here reads a row for each
message, object or EVSE.
"""
