"""The actor: set where a request or a command enters, read where a change is written down."""

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """Where somebody acts."""

    CONSOLE = "console"
    COMMAND_LINE = "command line"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at the console or at a terminal, or the hub by itself."""

    who: str
    channel: Channel
    address: str | None = None
    doing: str = ""
    session: str = ""
    """Of a person at the console: the hash of its id (`operators.sessions`)."""


HUB = Actor("hub", Channel.HUB)
_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def actor() -> Actor | None:
    """Return who is acting; nobody while a platform's message or beat is at work."""
    return _actor.get()


@contextmanager
def acting(who: Actor | None) -> Iterator[None]:
    """Make this the actor of all that the block does."""
    token = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(token)


def at_the_command_line(arguments: Sequence[str]) -> Actor:
    """Return the operating-system user; only the first argument is kept: others may be secret."""
    return Actor(_user(), Channel.COMMAND_LINE, doing=" ".join(["manage.py", *arguments[:1]]))


def _user() -> str:
    """Return who logged in to the machine, also behind sudo; a user without a name by its uid."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
