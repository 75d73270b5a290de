"""The specification in Python, tested without a hub."""
