"""The one client all threads of a process share: one event loop, one pool of connections.

The hub's application configures it once from its settings.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ocpi.client.address_guard import AddressPolicy
from ocpi.client.client import PRODUCT, OcpiClient
from ocpi.client.limits import Limits
from ocpi.client.listeners import Listener
from ocpi.client.own_address import OwnAddress

_configured: list[OcpiClient] = []
_own: list[Callable[[], OwnAddress]] = [OwnAddress]


def locate(said: Callable[[], tuple[str, list[str]]]) -> None:
    """Say where this process is itself: its URL, and names of its host, whenever that is asked for.

    It holds for every client configured afterwards.
    """
    _own[:] = [partial(OwnAddress.at_present, said)]


def configure(
    policy: AddressPolicy,
    limits: Limits,
    *,
    listener: Listener | None = None,
    product: str = PRODUCT,
) -> None:
    """Say how this process calls its peers; a client configured before is closed.

    Nothing is started: thread, loop and connections begin with the first request, so a server that
    forks after configuring gives every child its own.
    """
    located = replace(policy, own=_own[0])
    configured = OcpiClient(located, limits, listener=listener, product=product)
    former, _configured[:] = list(_configured), [configured]
    for client in former:
        client.close()


def shared() -> OcpiClient:
    """Return the process-wide client."""
    if not _configured:
        raise RuntimeError(
            "ocpi.client is not configured: call ocpi.client.configure(policy, limits) first"
        )
    return _configured[0]
