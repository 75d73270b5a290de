"""The commands of `manage.py` that concern what the hub keeps, reads and delivers."""
