"""A client of other limits in the place of the process's own, which is itself again afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from ocpi.client import AddressPolicy, Limits, configure, process_wide


@contextmanager
def other_client(policy: AddressPolicy) -> Iterator[None]:
    """Let this process call its peers by another policy, and not wait long for them.

    Configured anew instead, the client that all later tests share would be one without the hub's
    listener, name and limits.
    """
    former, process_wide._configured[:] = list(process_wide._configured), []
    configure(policy, Limits(connect=1, total=2))
    try:
        yield
    finally:
        process_wide._configured[0].close()
        process_wide._configured[:] = former
