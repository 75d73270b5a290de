"""The proxies' configurations of the documentation, each before a real hub.

Not part of `make test`: `make test-proxies` installs what they need.
"""
