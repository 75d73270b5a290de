"""Ports of this machine's loopback: a free one, the remembered one, a taken one."""

import socket
from pathlib import Path

from local.errors import Trouble

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on a port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def remembered(note: Path) -> int:
    """Return the port of last time while it is free, else a new one, noted for next time."""
    text = note.read_text(encoding="ascii") if note.exists() else ""
    port = int(text) if text.isdigit() else 0
    if port and is_free(port):
        return port
    port = free()
    note.write_text(str(port), encoding="ascii")
    return port


def usable_port(port: int, *, variable: str) -> int:
    """Return the port, or say how to choose another one."""
    if not 0 < port < 2**16:
        raise Trouble(f"{variable}={port} is no port: write a number from 1 to 65535")
    if is_free(port):
        return port
    raise Trouble(f"Port {port} is taken; choose another one: {variable}={free()}")


def reached(bound: str) -> str:
    """Return where to reach a server that listens at an address, which may stand for all."""
    return {"": HOST, "0.0.0.0": HOST, "::": "::1"}.get(bound, bound)
