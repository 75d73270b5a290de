"""Who names what: every reference in the repository's text, by its kind."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TEXT = {".css", ".html", ".js", ".md", ".py", ".sh", ".sql", ".toml", ".tsv", ".yaml", ".yml"}
_NAMES = {".env.example", "Caddyfile", "Dockerfile", "Makefile", "hub.conf"}
_NOT_OURS = {"build", "node_modules", "static-collected"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference and the file that makes it."""

    file: str
    target: str

    def __str__(self) -> str:
        return f"{self.file} names {self.target}"


@cache
def texts() -> dict[str, str]:
    """Return every file that people write, by its path below the root."""
    found = sorted(path for path in _walk(ROOT) if path.suffix in _TEXT or path.name in _NAMES)
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in found}


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith(".") and path.name not in _NOT_OURS:
            yield from _walk(path)
        elif path.is_file():
            yield path


def matches(pattern: str, *, but: tuple[str, ...] = ()) -> Iterator[Reference]:
    """Find the first group of a pattern in every file but some."""
    compiled = re.compile(pattern)
    for file, text in texts().items():
        if file not in but:
            yield from (Reference(file, match[1]) for match in compiled.finditer(text))


def ids(prefixes: str) -> Iterator[Reference]:
    """Find IDs such as `TF-21`, and those that are written `TF-93…95` or `CMD-05/10`."""
    for each in matches(rf"(?<![\w-])((?:{prefixes})-\d{{2,3}}(?:[…/]\d{{2,3}})*)\b"):
        prefix, _, numbers = each.target.partition("-")
        yield from (Reference(each.file, f"{prefix}-{n}") for n in re.split("[…/]", numbers))


def links() -> Iterator[Reference]:
    """Find the relative links of the documentation, as paths below the root."""
    for file, text in texts().items():
        if file.endswith(".md"):
            for target in re.findall(r"\]\(([^)\s:]+)\)", text):
                page = f"{Path(file).name}{target}" if target.startswith("#") else target
                joined = (ROOT / file).parent / page
                yield Reference(file, str(joined.resolve().relative_to(ROOT)))


@cache
def headings(page: str) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in found)
    return frozenset(heading.replace(" ", "-") for heading in plain)


def leads_somewhere(target: str) -> bool:
    """Whether a path below the root is there, and has the heading that it names."""
    path, _, anchor = target.partition("#")
    return (ROOT / path).exists() and (not anchor or anchor in headings(path))
