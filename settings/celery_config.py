"""Celery's queues, the schedule of beat, and its other settings; times are in seconds."""

from django.conf import settings

broker_url = settings.REDIS_URL
broker_connection_retry_on_startup = True
broker_connection_timeout = 2
broker_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 1}
# Tried again once, since the broker may have closed a pooled connection; after that beat does it.
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_max": 0.1}
task_ignore_result = True
task_serializer = "json"
accept_content = ["json"]
task_default_queue = "realtime"
worker_prefetch_multiplier = 1
worker_hijack_root_logger = False
worker_send_task_events = False
timezone = "UTC"

_PULL_SECONDS = 10.0

# Workers take their queues in turn, so dispatching does not wait behind the deliveries it started,
# nor client info behind long pulls and snapshots.
task_routes = {
    "hub.dispatch": {"queue": "wake"},
    "hub.snapshot": {"queue": "bulk"},
    "hub.redrive": {"queue": "bulk"},
    "hub.ping": {"queue": "wake"},
    "hub.follow": {"queue": "wake"},
    "hub.client_info": {"queue": "wake"},
    "hub.push_client_info": {"queue": "realtime"},
    "hub.take_over_parties": {"queue": "realtime"},
    "hub.start_pulls": {"queue": "bulk"},
    "hub.pull": {"queue": "bulk"},
    "hub.deliver": {"queue": "realtime"},
    "hub.*": {"queue": "bulk"},
}
_OFTEN, _SELDOM = min(settings.HUB_IDLE_SECONDS, 5.0), 600.0
# A task expires when its next one is due, so that none pile up while no worker runs.
beat_schedule = {
    "wake-everything-behind": {
        "task": "hub.dispatch",
        "schedule": settings.HUB_DISPATCH_SECONDS,
        "options": {"expires": settings.HUB_DISPATCH_SECONDS},
    },
    "follow-the-feed": {
        "task": "hub.follow",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    "prune-the-feed": {
        "task": "hub.prune_feed",
        "schedule": 3_600.0,
        "options": {"expires": 3_600.0},
    },
    "prune-the-figures": {
        "task": "hub.prune_figures",
        "schedule": 3_600.0,
        "options": {"expires": 3_600.0},
    },
    "prune-what-is-personal": {
        "task": "hub.prune_personal",
        "schedule": 3_600.0,
        "options": {"expires": 3_600.0},
    },
    "prune-logins": {
        "task": "hub.prune_logins",
        "schedule": 3_600.0,
        "options": {"expires": 3_600.0},
    },
    "expire-agreements": {
        "task": "hub.expire_agreements",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "keep-the-message-log": {
        "task": "hub.keep_message_log",
        "schedule": _SELDOM,
        "options": {"expires": _SELDOM},
    },
    "ping-the-silent": {
        "task": "hub.ping",
        "schedule": _OFTEN,
        "options": {"expires": _OFTEN},
    },
    "push-client-info": {
        "task": "hub.client_info",
        "schedule": _OFTEN,
        "options": {"expires": _OFTEN},
    },
    "look-after-connections": {
        "task": "hub.look_after",
        "schedule": _SELDOM,
        "options": {"expires": _SELDOM},
    },
    "pull-what-is-due": {
        "task": "hub.start_pulls",
        "schedule": _PULL_SECONDS,
        "options": {"expires": _PULL_SECONDS},
    },
}
