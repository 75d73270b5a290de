"""`manage.py export_agreements`: every agreement as the CSV that `import_agreements` reads."""

from argparse import Namespace
from io import StringIO
from typing import Any

from parties import agreement_csv
from parties.management.command import OperatorCommand


class Command(OperatorCommand[dict[str, Any]]):
    """Writes agreements as CSV."""

    help = "Print every agreement as CSV, as import_agreements reads it."

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Write them."""
        del options
        out = StringIO()
        return {"agreements": agreement_csv.write(out), "csv": out.getvalue()}

    def show(self, result: dict[str, Any]) -> None:
        """Print the file."""
        self.hand_out(result["csv"])
