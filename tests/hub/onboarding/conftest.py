"""The message log, open: a checklist shows what it has."""

from tests.hub.message_log.conftest import logged

__all__ = ["logged"]
