"""Objects as real platforms send them, each written here after a kind of mess that was seen.

A file is one object: what was seen, the text or object, and what the hub makes of it: its verdict,
and its findings by their paths and kinds of fault. A new kind of mess is one more file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
VERDICTS = ("kept", "reported", "refused")
"""Without a word; with findings in the answer; not at all."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """An object of the corpus: its module, its text, and what is to become of it.

    `findings` are kinds of fault by the path of each, empty for what has no kind.
    """

    name: str
    module: str
    seen: str
    text: bytes
    verdict: str
    findings: Mapping[str, str]

    @property
    def value(self) -> Any:
        """The object; None where the text is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def specimens() -> list[Specimen]:
    """Read all files."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.json"))]


def _read(path: Path) -> Specimen:
    said = json.loads(path.read_text(encoding="utf-8"))
    text = said["text"] if "text" in said else json.dumps(said["object"], ensure_ascii=False)
    return Specimen(
        name=f"{path.parent.name}/{path.stem}",
        module=path.parent.name,
        seen=said["seen"],
        text=text.encode(),
        verdict=said["verdict"],
        findings=said["findings"],
    )
