"""The base of the operators' commands: one sentence for people, one JSON value for scripts."""

import sys
from argparse import Namespace
from collections.abc import Callable
from getpass import getpass
from pathlib import Path
from typing import Any, Generic, TextIO, TypeVar, cast

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.db import DataError

from ocpi.errors import OcpiError
from ocpi.printable import escaped
from parties import quirks

Json = TypeVar("Json", dict[str, Any], list[dict[str, Any]])


class _EscapedOutput(OutputWrapper):
    """Standard output with control characters escaped: no peer's text acts on the terminal."""

    def __init__(self, out: OutputWrapper) -> None:
        super().__init__(cast("TextIO", out))
        self._written = out

    def write(  # type: ignore[override] # as Django has it
        self,
        msg: str = "",
        style_func: Callable[[str], str] | None = None,
        ending: str | None = None,
    ) -> None:
        """Write a text, its control characters escaped."""
        self._written.write(escaped(msg, lines=True), style_func, ending)

    def write_file(self, part: str) -> None:
        """Write a part of a file: as it is, unless it goes to a terminal."""
        shown = escaped(part, lines=True) if self.isatty() else part
        self._written.write(shown, ending="")


class OperatorCommand(BaseCommand, Generic[Json]):
    """Runs `perform`; its result is printed as JSON with `--json`, else shown by `show`."""

    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what every command takes."""
        parser.add_argument("--json", action="store_true", help="print JSON, nothing else")
        self.add_own_arguments(parser)

    def add_own_arguments(self, parser: CommandParser) -> None:
        """Add what this command takes."""

    def handle(self, *_: str, **options: object) -> None:
        """Perform and print; what goes wrong is one sentence and exit code 1."""
        self.stdout = self._escaped = _EscapedOutput(self.stdout)
        try:
            result = self.perform(Namespace(**options))
        except (OcpiError, ValueError, CommandError, DataError) as error:
            sentence = escaped(" ".join(str(error).split()))
            if not options["json"]:
                raise CommandError(sentence) from error
            self._print({"error": sentence})
            raise SystemExit(1) from error
        if options["json"]:
            self.show_json(result)
        else:
            self.show(result)
        if code := self.exit_code(result):
            raise SystemExit(code)

    def perform(self, options: Namespace) -> Json:
        """Do the work and return what can be written as JSON."""
        raise NotImplementedError

    def exit_code(self, result: Json) -> int:
        """Return the exit code, once the result is printed."""
        del result
        return 0

    def show(self, result: Json) -> None:
        """Write the result in words."""
        raise NotImplementedError

    def show_json(self, result: Json) -> None:
        """Write the result as JSON."""
        self._print(result)

    def leave_out(self, sentence: str) -> None:
        """Say beside the result, also beside JSON, what is left out of it."""
        self.stderr.write(escaped(sentence), self.style.WARNING)

    def hand_out(self, part: str) -> None:
        """Write a part of a file, escaped only on a terminal."""
        self._escaped.write_file(part)

    def _print(self, value: object) -> None:
        self.stdout.write(
            msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
        )


def secret_from(file: str | None, *, prompt: str) -> str:
    """Read a secret from a file, from standard input (`-`), or from the person at the terminal."""
    if file is None and sys.stdin.isatty():
        found = getpass(prompt)
    elif file in {None, "-"}:
        found = sys.stdin.readline()
    else:
        found = _read(Path(str(file)))
    if not found.strip():
        raise CommandError(f"{prompt.rstrip(': ')} is empty")
    return found.strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error


def add_platform_arguments(parser: CommandParser) -> None:
    """Add the name, the parties and the quirks of a platform."""
    parser.add_argument("name", metavar="NAME", help="how operators call the platform")
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="ROLE:COUNTRY:PARTY",
        help="a party it may register, like CPO:NL:CPA; repeat for more; replaces the former list",
    )
    parser.add_argument(
        "--quirk",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"like patch=off; {quirks.usage()}",
    )
