"""The OCPI specification in Python: types, messages and versions, no notion of our hub."""
