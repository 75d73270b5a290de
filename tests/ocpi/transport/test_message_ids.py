"""The message ids on their way through hops."""

import os
from uuid import UUID

import pytest

from ocpi.transport.message_ids import MessageIds


def test_the_ids_of_a_request_are_kept() -> None:
    """The response carries the ids of its request, whatever they look like."""
    ids = MessageIds.read({"x-request-id": "r 1", "X-CORRELATION-ID": "c-1"})

    assert ids.as_headers() == {"X-Request-ID": "r 1", "X-Correlation-ID": "c-1"}


@pytest.mark.parametrize("value", [None, "", " ", "x" * 129, "a\x00b", "é"])
def test_unusable_ids_are_replaced(value: str | None) -> None:
    """A missing, overlong or unprintable id gets a new value instead of an error."""
    ids = MessageIds.read({} if value is None else {"X-Request-ID": value})

    assert UUID(ids.request_id)
    assert UUID(ids.correlation_id)
    assert ids.request_id != ids.correlation_id


def test_every_hop_is_a_new_request_of_the_same_exchange() -> None:
    """The request id is new on every hop, the correlation id never changes."""
    ids = MessageIds("r-1", "c-1")
    hops = [ids.next_hop(), ids.next_hop()]

    assert len({hop.request_id for hop in hops} | {"r-1"}) == 3
    assert {hop.correlation_id for hop in hops} == {"c-1"}


def test_a_new_exchange_has_new_ids() -> None:
    """What begins here has ids nobody else uses."""
    assert MessageIds.new() != MessageIds.new()


def test_a_forked_process_makes_ids_of_its_own() -> None:
    """A server forks its workers after importing: two of them must not send the same id."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, MessageIds.new().request_id.encode())
        os._exit(0)
    os.wait()
    child = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)

    assert child != MessageIds.new().request_id
