"""The checklist the hub is measured by, and what the tests prove of it."""
