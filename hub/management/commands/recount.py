"""`manage.py recount`: counts places on the map and statuses of EVSEs anew."""

from argparse import Namespace
from typing import Any

from hub.statistics import follower
from operators.audit import record
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Has the workers count what follows the feed anew, while it goes on following."""

    help = "Count the places of locations on the map and the statuses of their EVSEs anew."

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Ask for it; whoever follows the feed does it."""
        follower.recount()
        record("had counted anew", "figures of locations", kind="hub.Follower")
        return {"as_of": follower.as_of()}

    def show(self, result: dict[str, Any]) -> None:
        """Say who does it."""
        self.stdout.write(f"The workers count anew; figures are as of {result['as_of']}.")
