"""The demo processes register, push, keep exactly what they should, and end in good order."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from ocpi.sandbox import SandboxPlatform
from ocpi.sandbox import misbehaviour as does
from ocpi.sandbox.__main__ import parser
from ocpi.sandbox.catalogue import location
from ocpi.sandbox.charging import Charging
from ocpi.sandbox.shelf import Shelf, write_object
from ocpi.types import ModuleID, PartyRef
from ocpi.validation import validate
from ocpi.versions import VERSIONS

CPA = PartyRef("NL", "CPA")
LOCATIONS = {number: each.modules[ModuleID.LOCATIONS].object for number, each in VERSIONS.items()}
Lines = Iterator[dict[str, Any]]


@pytest.fixture
def hub() -> Iterator[SandboxPlatform]:
    """Stand in for the hub: a platform with the hub's role."""
    with SandboxPlatform([("HUB", "NL", "HUB")]) as platform:
        yield platform


@contextmanager
def process(kind: str, hub: str, *more: str) -> Iterator[tuple[subprocess.Popen[str], Lines]]:
    """Run a demo process, with its events."""
    role = {"cpo": "CPO:NL:CPA", "emsp": "EMSP:DE:MSA"}[kind]
    command = [sys.executable, "-m", "ocpi.sandbox", kind, "--json", "--role", role, "--hub", hub]
    arguments = [*command, "--token-a", "A", *more]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        try:
            yield running, (json.loads(line) for line in running.stdout)
        finally:
            running.kill()


def test_token_a_may_stay_off_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on the machine sees arguments; the environment only its owner."""
    words = ["cpo", "--role", "CPO:NL:CPA", "--hub", "http://127.0.0.1/"]
    monkeypatch.delenv("SANDBOX_TOKEN_A", raising=False)
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    monkeypatch.setenv("SANDBOX_TOKEN_A", "kept")
    assert parser().parse_args(words).token_a == "kept"


def until(lines: Lines, event: str) -> list[dict[str, Any]]:
    """Read the events up to this one."""
    told = []
    for line in lines:
        told.append(line)
        if line["event"] == event:
            return told
    message = f"no {event} among {told}"
    raise AssertionError(message)


def test_a_cpo_process_pushes_what_it_reports(hub: SandboxPlatform, tmp_path: Path) -> None:
    """After N updates it stays alive; its report equals what the receiver holds."""
    hub.invite("A")
    hub.answer("PUT /L2", does.first(1, does.html(503)))
    hub.answer("PATCH", does.every(7, does.refuse(2003, http_status=404)))
    report = tmp_path / "cpo.json"
    options = ["--updates", "20", "--updates-per-second", "500", "--locations", "3"]

    with process("cpo", hub.url, *options, "--report-json", str(report)) as (running, lines):
        told = until(lines, "done")
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
        ending = [line["event"] for line in lines]

    events = [line["event"] for line in told]
    assert (events[0], ending) == ("registered", ["report", "stopped"])
    assert {event: events.count(event) for event in ("put", "patch", "refused", "retry")} == {
        "put": 3 + 2,
        "patch": 18,
        "refused": 2,
        "retry": 1,
    }
    written = json.loads(report.read_text())
    assert written["objects"] == {"locations": hub.objects["locations"].objects()}
    assert (written["party"], written["sent"], written["received"]) == ("NL-CPA", 23, 0)
    pushed = next(seen for seen in hub.seen if seen.method == "PATCH")
    assert (pushed.to, pushed.sender) == (hub.party, CPA)
    assert pushed.headers["X-Correlation-ID"] in {line.get("correlation_id") for line in told}


def test_an_emsp_process_keeps_what_it_receives(hub: SandboxPlatform, tmp_path: Path) -> None:
    """Each push is told with its correlation id; SIGUSR1 asks for a report in between."""
    hub.invite("A")
    report = tmp_path / "emsp.json"

    with process("emsp", hub.url, "--report-json", str(report)) as (running, lines):
        until(lines, "registered")
        hub.publish("locations", location(1, CPA))
        ids = {"X-Correlation-ID": "c-1"}
        status = {"status": "BLOCKED", "last_updated": "2026-12-01T00:00:00Z"}
        hub.change("locations", CPA, "L1", "E1", patch=status, **ids)
        hub.change("locations", CPA, "L1", "E1", patch=status, **ids)
        hub.hub.patch("locations", "RECEIVER", "NL/CPA/L9", status)
        running.send_signal(signal.SIGUSR1)
        told = until(lines, "report")
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0

    assert [(line["event"], line.get("method"), line["path"]) for line in told[:-1]] == [
        ("received", "PUT", "NL/CPA/L1"),
        ("received", "PATCH", "NL/CPA/L1/E1"),
        ("received", "PATCH", "NL/CPA/L1/E1"),
        ("refused", "PATCH", "NL/CPA/L9"),
    ]
    assert told[1]["correlation_id"] == "c-1"
    written = json.loads(report.read_text())
    assert written["objects"] == {"locations": hub.own["locations"].objects()}
    assert written["received"] == 3


def test_a_process_waits_for_the_hub(hub: SandboxPlatform) -> None:
    """A hub that is not up yet is asked again; one that refuses is not."""
    hub.stop()

    with process("emsp", hub.url) as (_, lines):
        until(lines, "waiting")
        hub.invite("A")
        hub.start()
        assert until(lines, "registered")[-1]["hub"] == "NL-HUB"
    with process("emsp", hub.url) as (running, lines):
        assert "HTTP 401" in until(lines, "failed")[-1]["reason"]
        assert running.wait(10) == 1


def test_a_taken_port_is_a_clear_message() -> None:
    """The port is named, without a traceback."""
    with closing(create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with process("emsp", "http://127.0.0.1:9", "--port", str(port)) as (running, lines):
            assert until(lines, "failed")[-1]["reason"].startswith(f"127.0.0.1:{port}: ")
            assert running.wait(10) == 1


@pytest.mark.parametrize("number", sorted(VERSIONS))
def test_the_catalogue_is_valid_and_repeatable(number: str) -> None:
    """Every location passes validation without a finding, and is the same for the same seed."""
    kind = LOCATIONS[number]
    assert kind
    made = [location(index, CPA, evses=index % 6 + 1) for index in range(1, 40)]

    assert [validate(kind.model, each) for each in made] == [()] * len(made)
    assert made == [location(index, CPA, evses=index % 6 + 1) for index in range(1, 40)]
    assert made[0] != location(1, CPA, evses=2, seed=2)
    assert len({each["city"] for each in made}) > 5


def test_status_changes_move_time_forwards_only() -> None:
    """Stations are taken, released, broken and repaired; no last_updated comes twice."""
    kind = LOCATIONS["2.2.1"]
    assert kind
    shelf = Shelf(kind)
    shelf.put(CPA, "L1", body=write_object(location(1, CPA)))
    charging = Charging(shelf, seed=1, clock=lambda: datetime(2026, 11, 21, tzinfo=UTC))

    patches = []
    for _ in range(60):
        change = charging.next()
        shelf.patch(change.owner, *change.ids, body=write_object(dict(change.patch)))
        patches.append(change.patch)

    moments = [patch["last_updated"] for patch in patches]
    assert moments[1:3] == ["2026-11-21T00:00:00.001Z", "2026-11-21T00:00:00.002Z"]
    assert len(set(moments)) == len(moments)
    assert {patch["status"] for patch in patches} == {"AVAILABLE", "CHARGING", "OUTOFORDER"}
    assert shelf.objects()["NL-CPA/L1"]["last_updated"] == moments[-1]
