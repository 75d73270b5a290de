"""Answering OCPI over HTTP with Django REST framework; no database, no queue, no hub."""

from ocpi.server.responses import OcpiResponse
from ocpi.server.views import OcpiView, answered

__all__ = ["OcpiResponse", "OcpiView", "answered"]
