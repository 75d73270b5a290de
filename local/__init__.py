"""Running the hub on one machine: embedded servers, the demo, the test run.

Nothing here is used in production; `python -m local` is the way in, the Makefile its user.
"""
