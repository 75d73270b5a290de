"""The log process: takes batches of the other processes on this machine, and writes them.

A thread for each of them, with a database connection of its own. It ends when who started it does,
having written what was sent.
"""

import logging
import select
import socket
import threading
from time import monotonic

import msgspec

from hub.message_log import frames
from hub.message_log.batches import BatchRefused, BatchWriter
from hub.message_log.frames import BatchOutcome, Gone, Reply

log = logging.getLogger(__name__)

_LAST_SECONDS = 8.0
"""So long senders that are left may go on when who started this process has ended."""


def serve(listener: socket.socket, lifeline: int) -> None:
    """Serve all who connect until the lifeline, a pipe, is closed; then those who have not left."""
    senders: list[threading.Thread] = []
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(lifeline, select.POLLIN)
    while lifeline not in dict(poll.poll()):
        connection, _ = listener.accept()
        senders = [each for each in senders if each.is_alive()]
        senders.append(threading.Thread(target=_serve, args=[connection], daemon=True))
        senders[-1].start()
    end = monotonic() + _LAST_SECONDS
    for sender in senders:
        sender.join(max(0.0, end - monotonic()))


def _serve(connection: socket.socket) -> None:
    writer = BatchWriter()
    try:
        with connection:
            while True:
                _answer(connection, frames.receive(connection), writer)
    except (Gone, OSError):
        pass  # the sender has ended, or begins anew
    except Exception:
        log.exception("the message log leaves a sender")
    finally:
        writer.close()


def _answer(connection: socket.socket, frame: bytes, writer: BatchWriter) -> None:
    """Write a batch and say what became of it."""

    def announce(transaction: str) -> None:
        _tell(connection, Reply(BatchOutcome.COMMITTING, transaction))

    number = 0
    try:
        batch = frames.read_batch(frame)
        number = len(batch.entries)
        writer.write(batch, announce)
        reply = Reply(BatchOutcome.WRITTEN)
    except (BatchRefused, msgspec.MsgspecError) as error:
        reply = Reply(BatchOutcome.REFUSED, str(error))
    except Exception as error:  # noqa: BLE001 - the sender tries again
        reply = Reply(BatchOutcome.FAILED, str(error))
    if not _tell(connection, reply) and reply.outcome is not BatchOutcome.WRITTEN:
        log.warning("the message log has a gap: %d exchanges of a process that died", number)


def _tell(connection: socket.socket, reply: Reply) -> bool:
    """Reply to a sender; return whether it still lives."""
    try:
        frames.send(connection, frames.reply_frame(reply))
    except OSError:
        return False
    return True
