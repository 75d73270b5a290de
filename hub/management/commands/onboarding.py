"""`manage.py onboarding NAME`: how far the handshake with a platform is."""

import time
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from hub.onboarding import Checklist, Step, read
from parties.management.command import OperatorCommand
from parties.models import Platform
from parties.operations import find_platform

_MARKS = {"done": "✓", "care": "!", "wrong": "✗", "waiting": "…"}
_EVERY_SECONDS = 1.0


class Command(OperatorCommand[dict[str, Any]]):
    """Shows the checklist; exit code 0 when nothing is left to wait for, 1 before."""

    help = "Show how far the handshake with a platform is, step by step."

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add the platform's name and how long to wait."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS", help="until it is complete"
        )

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Read the checklist, again and again as long as it is worth waiting."""
        platform, end = find_platform(options.name), time.monotonic() + options.wait
        checklist = read(platform)
        while not checklist.is_complete and time.monotonic() < end:
            time.sleep(_EVERY_SECONDS)
            platform = Platform.objects.get(pk=platform.pk)
            checklist = read(platform)
        return _described(platform, checklist)

    def exit_code(self, result: dict[str, Any]) -> int:
        """Fail while something is left to wait for."""
        return 0 if result["complete"] else 1

    def show(self, result: dict[str, Any]) -> None:
        """Say each step in a line, with the way to what was said on the wire."""
        started = "The hub starts" if result["starts"] == "hub" else "The platform starts"
        self.stdout.write(f"{result['name']} is {result['status']}. {started}.")
        for step in result["steps"]:
            mark = _MARKS[step["state"]]
            self.stdout.write(f"{mark} {step['title']}: {step['sentence']}")
            for each in step["correlation_ids"] if step["state"] == "wrong" else ():
                self.stdout.write(f"    manage.py trace {each} --whole")
        for each in result["proposals"]:
            self.stdout.write(f"What may help: {each['why']}\n    {each['command']}")


def _described(platform: Platform, checklist: Checklist) -> dict[str, Any]:
    return {
        "name": platform.name,
        "status": str(platform.status),
        "starts": str(checklist.starts),
        "complete": checklist.is_complete,
        "steps": [_step(step) for step in checklist.steps],
        "proposals": [asdict(each) for each in checklist.proposals],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "title": step.title,
        "state": str(step.state),
        "sentence": step.sentence,
        "correlation_ids": [row.correlation_id for row in step.exchanges],
    }
