"""The hub's own commands of `manage.py`."""
