"""The demo processes register, push, keep exactly what they should, and end in good order."""

import json
import signal
from contextlib import closing
from pathlib import Path
from socket import create_server

import pytest

from ocpi.types import ModuleID, PartyRef
from ocpi.validation import validate
from ocpi.versions import VERSIONS
from sandbox import SandboxPlatform
from sandbox import misbehaviour as does
from sandbox.demo.__main__ import parser
from sandbox.demo.cdr_check import Auditor
from sandbox.demo.charging import ChargingStations
from sandbox.demo.locations import location
from sandbox.demo.push import Message
from sandbox.demo.tariffs import tariffs
from sandbox.demo.tokens import token
from tests.sandbox.demo.processes import process, until

CPA, MSA = PartyRef("NL", "CPA"), PartyRef("DE", "MSA")
NOW = "2026-11-21T00:00:00Z"
LOCATIONS = {number: each.modules[ModuleID.LOCATIONS].kept for number, each in VERSIONS.items()}


def test_token_a_may_stay_off_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on the machine sees arguments; the environment only its owner."""
    words = ["--role", "CPO:NL:CPA", "--hub", "http://127.0.0.1/"]
    monkeypatch.delenv("SANDBOX_TOKEN_A", raising=False)
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    monkeypatch.setenv("SANDBOX_TOKEN_A", "kept")
    assert parser().parse_args(words).token_a == "kept"


def test_a_cpo_process_pushes_what_it_reports(hub: SandboxPlatform, tmp_path: Path) -> None:
    """After N updates it stays alive; its report equals what the receiver holds."""
    hub.invite("A")
    hub.answer("PUT /L2", does.first(1, does.html(503)))
    hub.answer("PATCH", does.every(7, does.refuse(2003, http_status=404)))
    report = tmp_path / "cpo.json"
    options = ["--updates", "20", "--updates-per-second", "500", "--locations", "3"]

    with process("cpo", hub.url, *options, "--report-json", str(report)) as (running, lines):
        printed = until(lines, "done")
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
        ending = [line["event"] for line in lines]

    events = [line["event"] for line in printed]
    assert (events[0], ending) == ("registered", ["report", "stopped"])
    assert {event: events.count(event) for event in ("put", "patch", "refused", "retry")} == {
        "put": 3 + 3 + 2,
        "patch": 18,
        "refused": 2,
        "retry": 1,
    }
    written = json.loads(report.read_text())
    assert written["objects"] == {name: store.objects() for name, store in hub.objects.items()}
    assert (written["party"], written["sent"], written["received"]) == ("NL-CPA", 27, 0)
    assert set(written["objects"]["tariffs"]) == {"NL-CPA/AC", "NL-CPA/DC"}
    pushed = next(seen for seen in hub.seen if seen.method == "PATCH")
    assert (pushed.to, pushed.sender) == (hub.party, CPA)
    assert pushed.headers["X-Correlation-ID"] in {line.get("correlation_id") for line in printed}


def test_an_emsp_process_keeps_what_it_receives(hub: SandboxPlatform, tmp_path: Path) -> None:
    """Each push is printed with its correlation id; SIGUSR1 asks for a report in between."""
    hub.invite("A")
    report = tmp_path / "emsp.json"

    options = ["--tokens", "0", "--report-json", str(report)]
    with process("emsp", hub.url, *options) as (running, lines):
        until(lines, "done")
        hub.publish("locations", location(1, CPA))
        ids = {"X-Correlation-ID": "c-1"}
        status = {"status": "BLOCKED", "last_updated": "2026-12-01T00:00:00Z"}
        hub.change("locations", CPA, "L1", "E1", patch=status, **ids)
        hub.change("locations", CPA, "L1", "E1", patch=status, **ids)
        hub.hub.patch("locations", "RECEIVER", "NL/CPA/L9", status)
        running.send_signal(signal.SIGUSR1)
        printed = until(lines, "report")
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0

    assert [(line["event"], line.get("method"), line["path"]) for line in printed[:-1]] == [
        ("received", "PUT", "NL/CPA/L1"),
        ("received", "PATCH", "NL/CPA/L1/E1"),
        ("received", "PATCH", "NL/CPA/L1/E1"),
        ("refused", "PATCH", "NL/CPA/L9"),
    ]
    assert printed[1]["correlation_id"] == "c-1"
    written = json.loads(report.read_text())
    assert written["objects"]["locations"] == hub.own["locations"].objects()
    assert written["received"] == 3


def send(hub: SandboxPlatform, message: Message) -> None:
    """Send what happened."""
    body = dict(message.body or {})
    if message.method == "PATCH":
        hub.change(message.module, message.owner, *message.ids, patch=body)
    else:
        hub.publish(message.module, body)


def test_a_cpo_process_sells_charging(hub: SandboxPlatform) -> None:
    """Drivers with a token it received charge; every completed session has one right CDR."""
    hub.invite("A")
    options = ["--updates", "300", "--updates-per-second", "200"]
    found: list[tuple[str, list[str]]] = []
    auditor = Auditor(
        hub.own, hub.objects, lambda cdr, wrong: found.append((cdr["session_id"], wrong))
    )

    with process("cpo", hub.url, *options) as (_, lines):
        until(lines, "registered")
        for index in (1, 2, 3):
            hub.publish("tokens", {**token(index, MSA, NOW), "valid": index != 1})
        printed = until(lines, "done")

    auditor.look()
    sessions = hub.objects["sessions"].objects().values()
    completed = {str(each["id"]) for each in sessions if each["status"] == "COMPLETED"}
    assert sorted(found) == [(name, []) for name in sorted(completed)]
    assert len(completed) > 5
    turned_away = [line for line in printed if line["event"] == "turned_away"]
    assert {line["text"].partition("token")[2] for line in turned_away}
    assert len([line for line in printed if line["event"] == "post"]) == len(completed)
    assert "NL-CPA/AC-2025" not in hub.objects["tariffs"].objects()


def test_an_emsp_process_issues_blocks_and_checks(hub: SandboxPlatform, tmp_path: Path) -> None:
    """Tokens go out once there is somewhere to charge; the first one is blocked after a CDR."""
    hub.invite("A")
    report = tmp_path / "emsp.json"
    options = ["--tokens", "2", "--report-json", str(report)]

    with process("emsp", hub.url, *options) as (running, lines):
        until(lines, "registered")
        hub.publish("locations", location(1, CPA))
        for tariff in tariffs(CPA, NOW):
            hub.publish("tariffs", tariff)
        printed = until(lines, "put") + until(lines, "put")
        charging = ChargingStations(hub.own, hub.objects["tokens"], seed=1)
        while not hub.own["cdrs"]:
            for message in charging.next_event().messages:
                send(hub, message)
        printed += until(lines, "done")
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0

    agreed = next(line for line in printed if line["event"] == "agrees")
    written = json.loads(report.read_text())
    held = written["objects"]["tokens"]
    assert (agreed["session"], agreed["cdr"], agreed["currency"]) == ("S1", "C1", "EUR")
    assert written["findings"] == {"NL-CPA/C1": []}
    assert held == hub.objects["tokens"].objects()
    assert [held[name]["valid"] for name in sorted(held)] == [False, True]
    uid = token(1, MSA, NOW)["uid"]
    assert [line["text"] for line in printed if line["event"] in ("put", "patch")] == [
        f"issued RFID token ****{uid[-4:]}",
        f"issued APP_USER token ****{uid[-4:]}",
        f"blocked RFID token ****{uid[-4:]}",
    ]
    assert uid not in json.dumps(printed)


def test_a_process_waits_for_the_hub(hub: SandboxPlatform) -> None:
    """A hub that is not up yet is asked again; one that refuses is not."""
    hub.stop()

    with process("emsp", hub.url, "--tokens", "0") as (_, lines):
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
