"""Outages of the hub: what platforms could not push meanwhile is read from their lists.

docs/architecture.md#pull. Each web process ticks: it writes down that it is there. One that ticks
after a gap has all lists read again, spread over some minutes. If the hub failed on a platform's
message (3000, 429 or an HTTP error of its own), the platform's lists are read again once the hub
answers it well, or with the next tick.
"""

import logging
import threading

from django.db import DatabaseError, connection, transaction

from database import sql
from hub.pull import schedule
from hub.pull import sql as statements

log = logging.getLogger(__name__)

TICK_SECONDS = 10.0
GAP_SECONDS = 45.0
"""After this long without a tick the hub was away; a tick may be late."""
_TOO_MANY = 429
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_lock = threading.Lock()
_failed: set[int | None] = set()
"""Platforms on whose messages the hub failed; None: on one whose sender was not looked up."""


def note_answer(
    method: str, *, platform_id: int | None, http_status: int, has_failed: bool
) -> bool:
    """Remember on whose messages the hub fails; return whether it answers such a one well again.

    Then `make_up` is to be called. `platform_id` is None when it was not found out who calls.
    """
    if not has_failed:
        return platform_id in _failed or (platform_id is not None and None in _failed)
    is_stranger = platform_id is None and http_status == _TOO_MANY
    if method not in _READING and not is_stranger:
        with _lock:
            _failed.add(platform_id)
    return False


def make_up() -> None:
    """Have the lists read of those on whose messages the hub failed; else the next tick does it."""
    try:
        catch_up()
    except Exception:
        log.exception("lists that were to be read again wait for the next tick")


def note_refused(method: str) -> None:
    """Remember that there was no room for the message of some registered platform (503)."""
    if method not in _READING:
        with _lock:
            _failed.add(None)


def tick() -> None:
    """Write down that the hub is there, and have everything read again after a gap."""
    with transaction.atomic():
        gap = sql.row(statements.TICK, {})
        if gap is not None and gap[0] > GAP_SECONDS:
            log.warning("the hub was away for %d s: all lists are read again", gap[0])
            schedule.read_again()
    catch_up()


def catch_up() -> None:
    """Have the lists read of the platforms on whose messages the hub failed."""
    with _lock:
        failed = set(_failed)
        _failed.clear()
    try:
        for platform_id in {None} if None in failed else failed:
            schedule.read_again(platform_id)
    except DatabaseError:
        with _lock:
            _failed.update(failed)
        raise


def watch() -> None:
    """Tick from now on, in a thread of this process."""
    threading.Thread(target=_run, name="presence", daemon=True).start()


def _run() -> None:
    pause = threading.Event()
    while True:
        try:
            tick()
        except DatabaseError as error:
            log.warning("nobody knows that the hub is there: %s", error)
        except Exception:
            log.exception("nobody knows that the hub is there")
        finally:
            connection.close()
        pause.wait(TICK_SECONDS)
