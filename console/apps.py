"""The console as a Django application."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Pages over the tables of the hub, the parties and the operators."""

    name = "console"
    verbose_name = "Console"
