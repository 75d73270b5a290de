"""The log process beside a server or worker: each exchange once, and no process is left."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from hub.message_log.entry import LoggedRoute
from hub.message_log.writer import LogWriter
from hub.models import Exchange, Traffic
from settings.message_log import LogProcess
from tests.hub.message_log.test_traffic_goes_on import an_entry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
BODY = b'{"id":"L1","name":"%b"}' % (b"x" * 2_000)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the processes that a test starts to the test database."""
    database = connection.settings_dict
    account = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    address = f"{account}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{address}")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings.base")


@pytest.fixture
def process(environment: None, settings: LazySettings) -> Iterator[LogProcess]:
    """Run a log process that writers of the test hand over to."""
    started = LogProcess()
    settings.HUB_MESSAGE_LOG_SOCKET = started.path
    yield started
    started.stop()


def wait_for(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_again_and_again_it_loses_and_doubles_nothing(
    process: LogProcess, settings: LazySettings
) -> None:
    """In the midst of batches: what was not acknowledged is handed to the next one."""
    settings.HUB_MESSAGE_LOG_BUFFER_BYTES = 10**9
    writer, number = LogWriter(), 6_000
    body = replace(an_entry(BODY), url="/ocpi/2.2.1/receiver/locations/NL/CPA/L1", platform="P")
    for each in range(number):
        writer.put(replace(body, request_id=f"r{each}"))
    for rows in (1, 2_000, 4_000):
        wait_for(lambda rows=rows: Exchange.objects.count() >= rows)  # type: ignore[misc]
        os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: Exchange.objects.count() >= number)
    writer.close()
    assert Exchange.objects.count() == number
    assert Exchange.objects.values("request_id").distinct().count() == number
    assert sum(Traffic.objects.values_list("number", flat=True)) == number


def test_while_it_stands_still_handing_over_never_waits_and_the_gap_is_counted(
    process: LogProcess, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    """The buffer is bounded; what fitted is written when it goes on."""
    settings.HUB_MESSAGE_LOG_BUFFER_BYTES = 100_000
    writer = LogWriter()
    writer.put(an_entry())
    wait_for(Exchange.objects.exists)
    os.kill(process.pid, signal.SIGSTOP)
    for _ in range(500):
        writer.put(an_entry(BODY))
    kept = len(writer._buffer)
    os.kill(process.pid, signal.SIGCONT)
    wait_for(lambda: not writer._buffer)
    writer.close()
    assert Exchange.objects.exclude(route=LoggedRoute.GAP).count() == kept + 1
    assert 0 < kept < 50
    gaps = Exchange.objects.filter(route=LoggedRoute.GAP).values_list("status_message", flat=True)
    assert list(gaps) == [f"the message log has a gap: {500 - kept} exchanges did not fit"]
    assert f"has a gap: {500 - kept} exchanges did not fit" in caplog.text


@pytest.mark.security("S-19")
def test_nobody_else_can_reach_it(process: LogProcess) -> None:
    """Its socket lies in a directory that other users cannot enter."""
    directory = Path(process.path).parent
    assert stat.S_IMODE(directory.stat().st_mode) == stat.S_IRWXU
    assert directory.stat().st_uid == os.getuid()


def test_it_ends_with_who_started_it(environment: None) -> None:
    """Even if that was killed; a signal to end, which whole groups get, it does not heed."""
    program = (
        "from settings.message_log import LogProcess; import time; made = LogProcess();"
        "print(made.pid, made.path, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        number, path = starter.stdout.readline().decode().split()
        pid = int(number)
        wait_for(lambda: _ignores(pid, signal.SIGTERM))
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.2)
        assert _is_alive(pid)
        starter.kill()
        wait_for(lambda: not _is_alive(pid))
    assert not Path(path).parent.exists()


def _is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def _ignores(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    [mask] = [line for line in status.splitlines() if line.startswith("SigIgn:")]
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)
