"""Text of peers is harmless in terminals and shells (S-20)."""

import json
import shutil
import subprocess
import sys
import unicodedata
from io import StringIO
from pathlib import Path

import pytest

from ocpi.printable import acts, escaped
from ocpi.shell_words import NEWLINE, ends_in_newline, word
from ocpi.types import PartyRef, one_line
from sandbox.demo.events import Events

pytestmark = pytest.mark.security("S-20")

CONTROLS = "".join(map(chr, [*range(1, 32), *range(127, 160)]))
FORMATS = "\u061c\u200b\u200e\u202a\u202e\u2028\u2029\u2066\u2069\ufeff\U000e0041"
HOSTILE = (
    "a\rtouch pwned\r",
    "a\ntouch pwned\n\n",
    "\n",
    "\x1b]0;title\x07\x1b[31mred\x9b0m",
    CONTROLS,
    FORMATS,
    'it\'s "$HOME" `touch pwned` $(touch pwned) ; touch pwned & | > < * ? ~ # ! !! \\ %s %n \\n',
    'it\'s\r"$HOME" `touch pwned` $(touch pwned) ; touch pwned & | !! \\ \\012 %s %% %n \\n \\\\',
    "'\r'",
    "-n\r",
    "--\r-e",
    "-e \\033",
    "\t",
    "é…\u202e\u00ad10\u20ac\r7",
    '{\r\n  "a": 1\r\n}\r\n',
    "",
    "$NL\n${NL}\n",
)


@pytest.mark.parametrize("shell", ["bash", "sh", "dash", "zsh"])
def test_a_word_arrives_byte_for_byte(shell: str, tmp_path: Path) -> None:
    """Whatever it is made of: one argument, the same bytes, and nothing else is run."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    dump = f"{sys.executable} -c 'import sys, os; print([os.fsencode(a) for a in sys.argv[1:]])'"
    words = " ".join(word(text) for text in HOSTILE)
    script = f"{NEWLINE}\n{dump} {words}\n"

    ran = subprocess.run(
        [shell], input=script.encode(), capture_output=True, cwd=tmp_path, check=True
    )

    assert ran.stdout.decode().strip() == str([text.encode() for text in HOSTILE])
    assert (ran.stderr, list(tmp_path.iterdir())) == (b"", [])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_word_has_nothing_that_acts(text: str) -> None:
    """What is pasted is what is seen: no control character, no mark of direction, one line."""
    assert not acts(word(text))
    assert ends_in_newline(text) is ("$NL" in word(text) and text != HOSTILE[6])


def test_what_acts_is_shown() -> None:
    """Every control character and mark of direction, as JSON spells it; all else stays."""
    for char in CONTROLS + FORMATS:
        assert escaped(char).isascii(), ascii(char)
        assert json.loads(f'"{escaped(char)}"') == char
    assert escaped("é…→ 10 €, 東京, 😀") == "é…→ 10 €, 東京, 😀"
    assert escaped("a\n\tb\rc", lines=True) == "a\n\tb\\u000dc"
    assert escaped("a\nb") == "a\\u000ab"
    for number in range(0x11_0000):
        char = chr(number)
        if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or unicodedata.bidirectional(
            char
        ) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}:
            assert acts(char), hex(number)


def test_what_is_kept_as_one_line_has_nothing_that_acts() -> None:
    """Words of peers that are stored are made fit to show at once."""
    assert one_line(f"a{CONTROLS}b{FORMATS}c", longest=1_000).split() == ["a", "b", "c"]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_sandbox_tells_harmless_lines(as_json: bool) -> None:  # noqa: FBT001
    """What its peer said is shown, in words and in JSON."""
    out = StringIO()
    events = Events(PartyRef("NL", "CPA"), as_json=as_json, stream=out)

    events.emit("failed", reason="\x1b]0;x\x07\r\nforged\x9b\u202e")

    assert out.getvalue().count("\n") == 1
    assert not acts(out.getvalue().removesuffix("\n"))
