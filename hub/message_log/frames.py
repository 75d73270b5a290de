"""What passes between a process and the log process: frames of msgpack behind their length.

A batch one way; the other way at most two replies: the number of the transaction that is about to
be committed, then what became of the batch.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import msgspec

from hub.message_log.batches import EntryBatch
from hub.message_log.entry import Entry

_LENGTH_BYTES = 4
Wait = Callable[[], None]


class BatchOutcome(StrEnum):
    """What became of a batch."""

    COMMITTING = "committing"
    WRITTEN = "written"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the log process says: `detail` is a transaction's number, or why a batch failed."""

    outcome: BatchOutcome
    detail: str = ""


class Gone(Exception):
    """The other side closed the connection."""


def batch_frame(batch: EntryBatch) -> bytes:
    """Return a batch to send; what no UTF-8 can hold is replaced, as it would be in a row."""
    try:
        return _BATCH_ENCODER.encode(batch)
    except UnicodeEncodeError:
        return _BATCH_ENCODER.encode(replace(batch, entries=[*map(_encodable, batch.entries)]))


def read_batch(frame: bytes) -> EntryBatch:
    """Read a batch; raises `msgspec.ValidationError` for one that no code of the hub makes."""
    return _BATCHES.decode(frame)


def reply_frame(reply: Reply) -> bytes:
    """Return a reply to send."""
    return msgspec.msgpack.encode(reply)


def read_reply(frame: bytes) -> Reply:
    """Read a reply."""
    return _REPLIES.decode(frame)


def _at_once() -> None:
    """Wait for nothing: the socket itself blocks."""


def send(connection: socket.socket, frame: bytes, wait: Wait = _at_once) -> None:
    """Send a frame, waiting before each part of it; raises `OSError`."""
    rest = memoryview(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)
    while rest:
        wait()
        rest = rest[connection.send(rest) :]


def receive(connection: socket.socket, wait: Wait = _at_once) -> bytes:
    """Receive a whole frame, waiting before each part of it; raises `Gone`, or `OSError`."""
    length = int.from_bytes(_exactly(connection, _LENGTH_BYTES, wait), "big")
    return _exactly(connection, length, wait)


def _exactly(connection: socket.socket, size: int, wait: Wait) -> bytes:
    received = bytearray(size)
    rest = memoryview(received)
    while rest:
        wait()
        number = connection.recv_into(rest)
        if not number:
            raise Gone
        rest = rest[number:]
    return bytes(received)


def _encodable(entry: Entry) -> Entry:
    values: dict[str, Any] = {
        field.name: _plain(getattr(entry, field.name)) for field in fields(entry)
    }
    return replace(entry, **values)


def _plain(value: object) -> object:
    match value:
        case StrEnum():
            return value
        case str():
            return value.encode(errors="replace").decode()
        case tuple():
            return tuple(map(_plain, value))
        case Mapping():
            return {_plain(name): _plain(each) for name, each in value.items()}
    return value


def _as_text(value: object) -> str:
    """Return a text of a class of our own, as a `ModuleID` is; msgspec takes `str` alone."""
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"a {type(value).__name__} is no part of an entry")


_BATCH_ENCODER = msgspec.msgpack.Encoder(enc_hook=_as_text)
_BATCHES = msgspec.msgpack.Decoder(EntryBatch)
_REPLIES = msgspec.msgpack.Decoder(Reply)
