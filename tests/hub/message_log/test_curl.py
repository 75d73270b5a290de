"""A request of the log as a command: runnable, without a secret, honest about what is missing."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from hub.message_log.curl import as_curl
from hub.models import Exchange
from ocpi.printable import acts


def an_exchange(**values: Any) -> Exchange:
    """Return one that is not stored."""
    usual = {
        "direction": "out",
        "sender": "NL-CPA",
        "receiver": "DE-MSA",
        "method": "PUT",
        "endpoint": "https://p.example.com/locations",
        "path": "NL/CPA/it's",
        "request_id": "r",
        "correlation_id": "c",
        "request_body": '{"name": "it\'s $HOME"}',
    }
    return Exchange(**{**usual, **values})


def words(row: Exchange) -> list[str]:
    """Return what a shell hands to curl."""
    script = f'curl() {{ printf "%s\\n" curl "$@"; }}\n{as_curl(row)}'
    ran = subprocess.run(
        ["/bin/sh", "-c", script], env={"TOKEN": "c2VjcmV0"}, capture_output=True, check=True
    )
    return ran.stdout.decode().splitlines()


def test_a_shell_reads_what_was_sent() -> None:
    """Method, URL, ids, parties and body, quoted; the token is a variable."""
    assert words(an_exchange()) == [
        *("curl", "-X", "PUT", "https://p.example.com/locations/NL/CPA/it's"),
        *("-H", "Authorization: Token c2VjcmV0"),
        *("-H", "X-Request-ID: r", "-H", "X-Correlation-ID: c"),
        *("-H", "OCPI-to-party-id: MSA", "-H", "OCPI-to-country-code: DE"),
        *("-H", "OCPI-from-party-id: CPA", "-H", "OCPI-from-country-code: NL"),
        *("-H", "Content-Type: application/json"),
        *("--data-raw", '{"name": "it\'s $HOME"}'),
    ]


def test_what_came_in_goes_to_the_hub(settings: LazySettings) -> None:
    """At its public URL."""
    settings.HUB_PUBLIC_URL = "https://hub.example.com"
    row = an_exchange(direction="in", endpoint="/ocpi/2.2.1/sender/tariffs", path="?limit=5")
    assert words(row)[3] == "https://hub.example.com/ocpi/2.2.1/sender/tariffs?limit=5"
    assert "--data-raw" not in words(an_exchange(request_body=""))


def test_what_is_missing_is_said() -> None:
    """Masked, cut or not kept."""
    assert "stands for what is masked" in as_curl(an_exchange(path="DE/MSA/…CCDD"))
    cut = as_curl(an_exchange(request_body='{"a": 1\n(cut, 99 bytes in all)'))
    assert "the body is cut" in cut
    assert "99 bytes" not in cut
    gone = as_curl(an_exchange(request_body="(not kept: 9 bytes that are no JSON)"))
    assert "the body is missing" in gone
    assert "--data-raw" not in gone


HOSTILE = (
    "(not kept:\rtouch pwned\r",
    "(not kept: $(touch pwned) `touch pwned`",
    '{"a": 1}\r\ntouch pwned\r\n',
    "'\rtouch pwned\r'",
    "\x1b]0;x\x07\n# touch pwned\n\u2028touch pwned",
    "x\n(cut, $(touch pwned)",
    "x\n(cut, 9 bytes in all)\ntouch pwned",
)


@pytest.mark.security("S-20")
@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize("body", HOSTILE)
def test_whatever_was_sent_is_words_of_one_command(shell: str, body: str, tmp_path: Path) -> None:
    """Line by line as at a prompt: curl alone is run, once, with each text as it is."""
    row = an_exchange(request_body=body, path=f"x{body}", method=f"P{body}", correlation_id=body)
    command = as_curl(row)
    dump = f"{sys.executable} -c 'import sys, os; print([os.fsencode(a) for a in sys.argv[1:]])'"

    ran = subprocess.run(
        [shell],
        input=f'curl() {{ {dump} "$@"; }}\nTOKEN=t\n{command}\n'.encode(),
        capture_output=True,
        cwd=tmp_path,
        check=True,
    )

    [line] = ran.stdout.decode().splitlines()
    read: list[bytes] = ast.literal_eval(line)
    assert (read[1], read[2]) == (f"P{body}".encode(), f"{row.endpoint}/x{body}".encode())
    assert f"X-Correlation-ID: {body}".encode() in read
    assert body.startswith("(not kept:") or read[-1] == body.encode()
    assert (ran.stderr, list(tmp_path.iterdir())) == (b"", [])
    assert not any(acts(each) for each in command.split("\n"))


@pytest.mark.security("S-20")
@pytest.mark.parametrize("body", HOSTILE)
def test_no_comment_has_words_of_a_peer(body: str) -> None:
    """A shell that takes no comments at its prompt would run what stands in them."""
    for line in as_curl(an_exchange(request_body=body)).split("\n"):
        assert not line.startswith("#") or not set(line) & set("`$()[]*?'\";&|<>!\\")
