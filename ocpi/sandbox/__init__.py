"""Simulated CPO and eMSP platforms that speak real OCPI over HTTP."""

from ocpi.sandbox.hub_client import Crawl, HubClient, Refused, Result
from ocpi.sandbox.orders import Order
from ocpi.sandbox.platform import SandboxPlatform, object_path
from ocpi.sandbox.seen import Match, Seen
from ocpi.sandbox.server import Answer, Call, Responder
from ocpi.sandbox.shelf import Shelf

__all__ = [
    "Answer",
    "Call",
    "Crawl",
    "HubClient",
    "Match",
    "Order",
    "Refused",
    "Responder",
    "Result",
    "SandboxPlatform",
    "Seen",
    "Shelf",
    "object_path",
]
