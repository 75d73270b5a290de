"""Celery tasks: ids in, one function called."""
