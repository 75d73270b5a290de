"""Ports are remembered while they are free, and a taken one is a sentence."""

import socket
from pathlib import Path

import pytest

from local import ports
from local.errors import Trouble


def test_the_port_of_last_time_comes_again(tmp_path: Path) -> None:
    """Who noted a server's address yesterday finds it there today."""
    assert ports.remembered(tmp_path / "port") == ports.remembered(tmp_path / "port")


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    """Somebody else's server is no reason not to start."""
    note = tmp_path / "port"
    with socket.create_server((ports.HOST, 0)) as other:
        note.write_text(str(other.getsockname()[1]))
        assert ports.remembered(note) != other.getsockname()[1]


def test_a_taken_port_is_said_with_the_way_out() -> None:
    """The sentence names the port and the variable that chooses another."""
    with socket.create_server((ports.HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Trouble, match=rf"Port {port} is taken; .*DEMO_PORT=\d+"):
            ports.usable_port(port, variable="DEMO_PORT")


def test_a_port_has_sixteen_bits() -> None:
    """What is no port is refused before anything starts."""
    with pytest.raises(Trouble, match="DEMO_PORT=70000 is no port"):
        ports.usable_port(70000, variable="DEMO_PORT")
