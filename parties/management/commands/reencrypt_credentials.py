"""`manage.py reencrypt_credentials`: seal what is stored with the newest of `CREDENTIALS_KEYS`."""

from argparse import Namespace
from typing import Any

from parties.management.command import OperatorCommand
from parties.operations import reencrypt


class Command(OperatorCommand[dict[str, Any]]):
    """Re-encrypts: run after a key is put in front of the list, before the old one is removed."""

    help = "Encrypt outbound tokens and second factors with the first of CREDENTIALS_KEYS."

    def perform(self, options: Namespace) -> dict[str, Any]:
        """Re-encrypt."""
        return {"reencrypted": reencrypt()}

    def show(self, result: dict[str, Any]) -> None:
        """Say how many."""
        self.stdout.write(
            f"{result['reencrypted']} tokens are sealed with the newest key,"
            " the seeds of second factors among them."
        )
