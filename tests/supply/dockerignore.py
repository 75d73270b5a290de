"""The build context as a container engine computes it from `.dockerignore`.

The rules: blank lines and lines that begin with `#` say nothing; a pattern is taken from the root
of the context, with or without a leading slash; `*` and `?` stay within one name, `**` crosses any
number of them; a pattern that matches a folder matches all in it; `!` takes back in; the last line
that matches decides.
"""

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ALWAYS = (".git/", ".venv/", ".local/")
"""What no engine need walk here: big, and tested by its name alone."""
_TOKENS = re.compile(r"\*\*/?|\*|\?|\[[^\]]+\]|\\.|[^*?\[\\]+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the file."""

    expression: re.Pattern[str]
    takes_in: bool

    def matches(self, path: str) -> bool:
        """Whether it means a path, or a folder that the path is in."""
        parts = path.split("/")
        steps = ("/".join(parts[: length + 1]) for length in range(len(parts)))
        return any(self.expression.fullmatch(step) for step in steps)


def patterns(text: str) -> list[Pattern]:
    """Read the file."""
    lines = (line.strip() for line in text.splitlines() if not line.startswith("#"))
    return [_pattern(line) for line in lines if line]


def is_ignored(path: str, lines: list[Pattern]) -> bool:
    """Whether a path stays out: what the last line that matches it says."""
    matching = [line for line in lines if line.matches(path)]
    return bool(matching) and not matching[-1].takes_in


def context(root: Path) -> list[str]:
    """Return every file that is sent to the engine, relative to the root."""
    lines = patterns((root / ".dockerignore").read_text(encoding="utf-8"))
    return sorted(path for path in _files(root) if not is_ignored(path, lines))


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if f"{here / name}/" not in ALWAYS]
        yield from ((here / name).as_posix() for name in names)


def _pattern(line: str) -> Pattern:
    takes_in = line.startswith("!")
    cleaned = posixpath.normpath(line.removeprefix("!").strip()).lstrip("/")
    expression = "".join(map(_expression, _TOKENS.findall(cleaned)))
    return Pattern(re.compile(expression), takes_in=takes_in)


def _expression(token: str) -> str:
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if token in known:
        return known[token]
    if token.startswith("["):
        return token.replace("[!", "[^")
    return re.escape(token.removeprefix("\\"))
