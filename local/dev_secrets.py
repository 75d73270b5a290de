"""Development secrets: made once per purpose, kept in `secrets.env` beside its data (600)."""

import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from local.data_dir import write_private

_MADE: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "CREDENTIALS_KEYS": lambda: Fernet.generate_key().decode(),
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(16),
    "OWNER_PASSWORD": lambda: secrets.token_hex(16),
    "SERVICE_PASSWORD": lambda: secrets.token_hex(16),
    "REDIS_PASSWORD": lambda: secrets.token_hex(16),
    "ADMIN_PASSWORD": lambda: secrets.token_hex(8),
}


def keys(directory: Path) -> dict[str, str]:
    """Return the secrets of a purpose; what is missing is made and kept."""
    file = directory / "secrets.env"
    known = dict(_read(file)) if file.exists() else {}
    missing = {name: make() for name, make in _MADE.items() if name not in known}
    if missing:
        _write(file, known | missing)
    return known | missing


def _read(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="ascii").splitlines()
    return [(name, value) for name, _, value in (line.partition("=") for line in lines) if value]


def _write(file: Path, values: dict[str, str]) -> None:
    write_private(file, "".join(f"{name}={value}\n" for name, value in values.items()))
