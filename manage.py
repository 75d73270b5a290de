#!/usr/bin/env python
"""Django's command line for the hub."""

import os
import sys

from django.core.management import execute_from_command_line

from operators.actor import acting, at_the_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.base")
    with acting(at_the_command_line(sys.argv[1:])):
        execute_from_command_line(sys.argv)
