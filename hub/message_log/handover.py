"""The handing over of batches to the log process, and hearing what became of each.

One batch is on its way at a time. The log process writes what it received whole, even if who sent
it died meanwhile; so whoever lives waits for the outcome, or for the end of the log process.
"""

import select
import socket
from collections.abc import Callable

from django.conf import settings

from hub.message_log import frames
from hub.message_log.batches import Announce, BatchRefused, EntryBatch
from hub.message_log.frames import BatchOutcome, Gone, Wait

_LOOK_UP_MILLISECONDS = 250


class NotWritten(Exception):
    """The log process could not write a batch, or is gone: the batch is to be written again."""


class Handover:
    """A connection to the log process."""

    def __init__(self, connection: socket.socket, may_wait: Callable[[], bool]) -> None:
        """`may_wait` says, a few times a second, whether there is time to wait any longer."""
        self._connection, self._may_wait = connection, may_wait
        self._writable = self._waiting_for(select.POLLOUT)
        self._readable = self._waiting_for(select.POLLIN)

    def write(self, batch: EntryBatch, announce: Announce) -> None:
        """Have a batch written; raises `BatchRefused` or `NotWritten`."""
        try:
            frame = frames.batch_frame(batch)
        except (TypeError, ValueError, OverflowError) as error:
            raise BatchRefused(str(error)) from error
        try:
            frames.send(self._connection, frame, self._writable)
            self._await_outcome(announce)
        except (Gone, OSError) as error:
            raise NotWritten("the log process is gone") from error

    def close(self) -> None:
        """Leave the log process."""
        self._connection.close()

    def _await_outcome(self, announce: Announce) -> None:
        while True:
            reply = frames.read_reply(frames.receive(self._connection, self._readable))
            match reply.outcome:
                case BatchOutcome.COMMITTING:
                    announce(reply.detail)
                case BatchOutcome.WRITTEN:
                    return
                case BatchOutcome.REFUSED:
                    raise BatchRefused(reply.detail)
                case BatchOutcome.FAILED:
                    raise NotWritten(reply.detail)

    def _waiting_for(self, event: int) -> Wait:
        poll = select.poll()
        poll.register(self._connection, event)

        def wait() -> None:
            while not poll.poll(_LOOK_UP_MILLISECONDS):
                if not self._may_wait():
                    raise NotWritten("the log process has not answered")

        return wait


def connect(may_wait: Callable[[], bool]) -> Handover | None:
    """Return a connection to the log process of this machine, if there is one."""
    path: str = settings.HUB_MESSAGE_LOG_SOCKET
    if not path:
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(0)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    return Handover(connection, may_wait)
