"""An environment of its own for each peer, below a folder that nothing else looks at."""

import subprocess
import venv
from pathlib import Path

from tests.peers.registry import Peer

PLACE = Path(".local/peers")
_SERVER = ("uvicorn",)


def python_of(peer: Peer) -> Path | None:
    """Install a peer once; return its Python, or None where it cannot be had."""
    sources = peer.sources()
    if sources is None:
        return None
    folder = (PLACE / peer.name).absolute()
    python, mark = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join((*sources, *_SERVER))
    if mark.exists() and mark.read_text() == wanted:
        return python
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, *sources, *_SERVER], check=False).returncode:
        return None
    mark.write_text(wanted)
    return python
