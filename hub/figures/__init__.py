"""The hub in figures: how it stands, where its EVSEs are, how they were.

Spec: none; architecture chapter 10. Console and commands show the same; nothing here reads a row
for each message, object or EVSE.
"""
