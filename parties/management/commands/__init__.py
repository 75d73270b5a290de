"""The commands of `manage.py` that concern platforms, parties and agreements."""
