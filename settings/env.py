"""Strict readers of the environment: a value is right, or the start stops with one sentence."""

import os
import re
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


class Misconfigured(SystemExit):
    """Stops the process with the sentence it carries and no traceback."""


def _stop(name: str, problem: str) -> NoReturn:
    sentence = f"{name} {problem} (see .env.example)"
    raise Misconfigured(sentence)


def _raw(name: str) -> str | None:
    """Return the variable, or the contents of the file named by `NAME_FILE`; blank means unset."""
    value = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if value or not path:
        return value or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        _stop(f"{name}_FILE", f"names a file that cannot be read: {error.strerror}")


def text(name: str, default: str | None = None) -> str:
    """Return a text; without a default it must be set."""
    value = _raw(name)
    if value is not None:
        return value
    if default is None:
        _stop(name, "is not set")
    return default


def secret(name: str, *, shortest: int = 32) -> str:
    """Return a secret, which must be set and at least `shortest` characters long."""
    value = text(name)
    if len(value) < shortest:
        _stop(name, f"is too short: at least {shortest} characters")
    return value


def secrets(name: str, *, shortest: int = 32) -> list[str]:
    """Return a comma separated list of secrets, which may be empty."""
    found = words(name)
    if any(len(value) < shortest for value in found):
        _stop(name, f"has one that is too short: at least {shortest} characters each")
    return found


def pairs(name: str, *, among: tuple[str, ...]) -> dict[str, str]:
    """Return a comma separated list of `key=word`, each word of a closed list."""
    found = [word.rpartition("=") for word in words(name)]
    if any(not key or value not in among for key, _, value in found):
        _stop(name, f"is no list like name={among[0]}; behind = is one of {', '.join(among)}")
    return {key.strip(): value for key, _, value in found}


def boolean(name: str, *, default: bool) -> bool:
    """Return a boolean written `true` or `false`."""
    value = text(name, str(default)).lower()
    if value not in {"true", "false"}:
        _stop(name, f"is {value!r}; write true or false")
    return value == "true"


def number(name: str, default: float, *, least: float = 0) -> float:
    """Return a number of at least `least`."""
    value = text(name, str(default))
    try:
        parsed = float(value)
    except ValueError:
        _stop(name, f"is {value!r}; write a number")
    if not least <= parsed < float("inf"):
        _stop(name, f"is {value!r}; the least is {least:g}")
    return parsed


def integer(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number of at least `least`."""
    parsed = number(name, default, least=least)
    if not parsed.is_integer():
        _stop(name, f"is {parsed!r}; write a whole number")
    return int(parsed)


def choice(name: str, default: str, *, among: tuple[str, ...]) -> str:
    """Return one word of a closed list."""
    value = text(name, default)
    if value not in among:
        _stop(name, f"is {value!r}; write one of {', '.join(among)}")
    return value


def colour(name: str, default: str) -> str:
    """Return a colour written `#rrggbb`."""
    value = text(name, default).lower()
    if not re.fullmatch("#[0-9a-f]{6}", value):
        _stop(name, f"is {value!r}; write a colour as #rrggbb")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return a comma separated list without its blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def origin(address: str) -> list[str]:
    """Return scheme and host as a Content-Security-Policy names them; nothing for a mere path."""
    parts = urlsplit(address)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


def url(name: str, default: str | None = None, *, schemes: tuple[str, ...]) -> str:
    """Return an absolute URL of one of the schemes, without a trailing slash."""
    value = text(name, default)
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.netloc or parts.query):
        _stop(name, f"is not a URL that starts with {' or '.join(s + '://' for s in schemes)}")
    return value.rstrip("/")


def database(name: str) -> dict[str, Any]:
    """Return a database of PostgreSQL as Django takes it, from a URL that libpq understands."""
    value = url(name, schemes=("postgresql", "postgres"))
    try:
        given = {key: str(each) for key, each in conninfo_to_dict(value).items()}
    except ProgrammingError:  # its message may quote the password
        _stop(name, "is no URL of a database: percent-encode what is special in user and password")
    named = {django: given.pop(libpq, "") for libpq, django in _DJANGO_NAMES.items()}
    return {"ENGINE": "django.db.backends.postgresql", **named, "OPTIONS": given}


_DJANGO_NAMES = {
    "dbname": "NAME",
    "user": "USER",
    "password": "PASSWORD",
    "host": "HOST",
    "port": "PORT",
}
