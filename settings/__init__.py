"""Where the hub is put together: settings, URLs, the Celery application and the server's entry."""

from settings.celery import app as celery_app

__all__ = ["celery_app"]
