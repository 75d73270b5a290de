"""The peers there are: what to install for each, and which program makes a platform of it."""

import os
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
FOLDERS = "PEERS"
"""The environment variable: folders with what only repositories have, `name=folder` with commas."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A foreign implementation.

    `packages` are what pip installs for it, beside what a server needs; None where it is only in a
    repository, whose folder `PEERS` names. `package` is what is imported.
    """

    name: str
    packages: tuple[str, ...] | None
    package: str
    program: Path = PROGRAMS / "fastapi_library.py"

    def sources(self) -> tuple[str, ...] | None:
        """Return what pip is to install; None if it cannot be had here."""
        folder = folders().get(self.name)
        if folder is not None:
            return (str(folder), *(self.packages or ())[1:])
        return self.packages


def folders() -> dict[str, Path]:
    """Read which folders are there."""
    pairs = (each.partition("=") for each in os.environ.get(FOLDERS, "").split(",") if each)
    return {name.strip(): Path(folder.strip()).absolute() for name, _, folder in pairs}


PEERS = (
    Peer("extrawest-ocpi", ("extrawest-ocpi",), "py_ocpi"),
    # Made for pydantic 1, which its FastAPI still takes.
    Peer("py-ocpi", ("py-ocpi", "pydantic<2", "fastapi<0.100"), "py_ocpi"),
    Peer("python-ocpi", ("python-ocpi",), "ocpi", PROGRAMS / "flask_library.py"),
    Peer("ocpi-python", None, "ocpi"),
)
