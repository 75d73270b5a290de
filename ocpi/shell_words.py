"""Somebody else's text as one word of a shell command, byte for byte in sh, bash and zsh.

A command is pasted into a terminal, so it has no character that a terminal acts on: those are
written as `printf` reads them, in octal. What `$(…)` would cut off at its end, newlines, is in
a variable.
"""

import shlex
from typing import Final

from ocpi.printable import acts

NEWLINE: Final = "NL=$(printf '\\012.'); NL=${NL%.}"
"""The line that goes before a command with a word that `ends_in_newline`."""

_ESCAPED: Final = "%\\'!-"
"""Beside what acts: what printf reads, what ends the quotes, bash's history, an option."""


def word(text: str) -> str:
    """Return a text as one word."""
    if not acts(text):
        return shlex.quote(text)
    body = text.rstrip("\n")
    ending = "$NL" * (len(text) - len(body))
    printed = "".join(map(_octal, body))
    return f"\"$(printf '{printed}'){ending}\"" if body else f'"{ending}"'


def ends_in_newline(text: str) -> bool:
    """Whether the word of a text needs `NEWLINE`."""
    return text.endswith("\n")


def _octal(char: str) -> str:
    """Write a character as the format of `printf` reads it: in octal, if anything acts on it."""
    if char not in _ESCAPED and not acts(char):
        return char
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "replace"))
