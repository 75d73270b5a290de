"""The Celery application, and why losing the broker loses nothing.

The database is the truth and the broker only wakes workers up: a task carries an id, and beat
wakes everything that is behind every few seconds. A worker starts the log process that writes its
exchanges with platforms.
"""

import os

from celery import Celery, signals

from settings import message_log

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.base")

app = Celery("hub")
app.config_from_object("settings.celery_config")
app.autodiscover_tasks(["hub.tasks"], related_name="delivery")
app.autodiscover_tasks(["hub.tasks"], related_name="housekeeping")
app.autodiscover_tasks(["hub.tasks"], related_name="pull")
# By name: the step's module needs the loaded models.
app.steps["worker"].add("hub.tasks.wake_up_listener:ListeningStep")


@signals.worker_init.connect
def start_log_process(**_: object) -> None:
    """Have the exchanges of this worker written by a process beside it."""
    message_log.start()
