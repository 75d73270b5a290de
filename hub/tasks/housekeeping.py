"""Celery's interface to housekeeping: pings, client info, renewals, and deleting what is old.

Losing every task loses nothing: beat starts each of them again.
"""

import logging
from typing import Any

import redis
from celery import shared_task
from django.dispatch import Signal
from kombu.exceptions import OperationalError

from hub import broker
from hub.client_info import other_hubs, push, status, verification
from hub.delivery import feed_retention
from hub.message_log import partitions
from hub.privacy import departure, erasure, personal_retention
from hub.privacy.drivers import Driver
from hub.privacy.jobs import Progress, run_job
from hub.statistics import figure_retention, follower
from ocpi.errors import OcpiError
from operators import known_devices, login_events, sessions
from parties import still_alive
from parties.agreements import expire
from parties.operations import find_platform
from parties.registration import renewal
from parties.signals import platform_registered, platform_returned

log = logging.getLogger(__name__)

_QUEUED = "hub:client-info:{}"


def on_parties_changed(
    signal: Signal | None = None, platform_id: int | None = None, **_: object
) -> None:
    """Have client info sent, and ask another hub that registered or returned for its parties."""
    try:
        broker.start_once(_QUEUED.format("all"), client_info)
        if signal in {platform_registered, platform_returned} and platform_id is not None:
            take_over_parties.delay(platform_id)
    except (redis.RedisError, OperationalError) as error:
        log.warning("client info waits for beat, the broker does not answer: %s", error)


@shared_task(name="hub.ping")
def ping() -> None:
    still_alive.ping_idle()


@shared_task(name="hub.client_info")
def client_info() -> None:
    """Bring client info in line with the parties, and have it sent to each platform behind."""
    broker.connection().delete(_QUEUED.format("all"))
    status.refresh_statuses()
    for platform_id in push.behind():
        broker.start_once(_QUEUED.format(platform_id), push_client_info, platform_id)


@shared_task(name="hub.push_client_info")
def push_client_info(platform_id: int) -> None:
    """Send one platform the client info it lacks."""
    broker.connection().delete(_QUEUED.format(platform_id))
    push.send(platform_id)


@shared_task(name="hub.take_over_parties")
def take_over_parties(platform_id: int) -> None:
    """Ask another hub for the parties behind it."""
    try:
        other_hubs.take_over_all(platform_id)
    except OcpiError as error:
        log.warning("the parties behind platform %s are not known: %s", platform_id, error)


@shared_task(name="hub.look_after")
def look_after() -> None:
    """Start the renewals and verifications of client info that are due."""
    for platform_id in renewal.due():
        renew.delay(platform_id)
    for platform_id in verification.unverified():
        verify.delay(platform_id)


@shared_task(name="hub.prune_feed")
def prune_feed() -> None:
    """Delete old changes that nobody needs from the feed."""
    changes, snapshots = feed_retention.prune()
    if changes:
        log.info("%s old changes removed, %s snapshots forgotten", changes, snapshots)


@shared_task(name="hub.keep_message_log")
def keep_message_log() -> None:
    """Create the log's partitions of the days to come, and drop those that are too old."""
    partitions.maintain_partitions()


@shared_task(name="hub.follow")
def follow() -> None:
    """Let the figures that follow the feed catch up with it."""
    follower.follow()


@shared_task(name="hub.prune_figures")
def prune_figures() -> None:
    """Delete figures that are too old."""
    removed = figure_retention.prune()
    if removed:
        log.info("%s old figures removed", removed)


@shared_task(name="hub.prune_personal")
def prune_personal() -> None:
    """Delete or erase personal data whose retention is over."""
    ended = personal_retention.prune()
    if ended:
        log.info("what was kept long enough: %s", dict(ended))


@shared_task(name="hub.prune_logins")
def prune_logins() -> None:
    """Delete sessions that are over, and known devices and log-in events that are too old."""
    ended = sessions.prune() + known_devices.prune()
    events = login_events.prune()
    if events:
        log.info("%s old events of log-ins removed, %s sessions and networks", events, ended)


@shared_task(name="hub.erase_driver")
def erase_driver(sealed: str, job: str) -> None:
    """Erase a driver whom an operator named at the console."""

    def erase(asked_for: dict[str, Any], report: Progress) -> None:
        reason = asked_for.pop("reason")
        erasure.erase(Driver.named(**asked_for), reason=reason, report=report)

    run_job(sealed, job, erase)


@shared_task(name="hub.forget_platform")
def forget_platform(sealed: str, job: str) -> None:
    """Forget a platform that an operator chose at the console."""

    def forget(asked_for: dict[str, Any], report: Progress) -> None:
        departure.forget_platform(find_platform(asked_for["name"]), report=report)

    run_job(sealed, job, forget)


@shared_task(name="hub.expire_agreements")
def expire_agreements() -> None:
    expire()


@shared_task(name="hub.renew")
def renew(platform_id: int) -> None:
    renewal.renew(platform_id)


@shared_task(name="hub.verify")
def verify(platform_id: int) -> None:
    verification.verify(platform_id)
