#!/usr/bin/env python
"""Django's command line for the hub."""

import os
import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from operators.actor import acting, at_the_command_line


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether a command line only wants to know what there is to write."""
    return words[:1] in ([], ["help"]) or not {"-h", "--help"}.isdisjoint(words)


if __name__ == "__main__":
    module = "settings.for_help" if asks_for_help(sys.argv[1:]) else "settings.base"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module)
    with acting(at_the_command_line(sys.argv[1:])):
        execute_from_command_line(sys.argv)
