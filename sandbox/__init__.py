"""Simulated CPO and eMSP platforms that speak real OCPI over HTTP."""

from sandbox.client import Crawl, HubClient, Refused, Result
from sandbox.commands import Order
from sandbox.object_store import ObjectStore
from sandbox.platform import SandboxPlatform, object_path
from sandbox.recorder import Match, Seen
from sandbox.server import Answer, Call, Responder

__all__ = [
    "Answer",
    "Call",
    "Crawl",
    "HubClient",
    "Match",
    "ObjectStore",
    "Order",
    "Refused",
    "Responder",
    "Result",
    "SandboxPlatform",
    "Seen",
    "object_path",
]
