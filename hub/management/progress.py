"""The progress bar of a command, on a terminal; a file or a pipe gets nothing of it."""

from shutil import get_terminal_size

from django.core.management.base import OutputWrapper

from ocpi.printable import escaped

_WIDTH = 30


class Bar:
    """One line of a terminal that is written again and again."""

    def __init__(self, terminal: OutputWrapper) -> None:
        self._terminal = terminal if terminal.isatty() else None

    def show(self, share: float, words: str) -> None:
        """Draw how much of the work is done, from 0 to 1."""
        if self._terminal is not None:
            done = round(max(0.0, min(1.0, share)) * _WIDTH)
            line = f"{'█' * done}{'░' * (_WIDTH - done)} {share:4.0%}  {escaped(words)}"
            width = get_terminal_size().columns - 1
            self._terminal.write(f"\r{line[:width]}\x1b[K", ending="")

    def end(self) -> None:
        """Clear the line for the text that comes next."""
        if self._terminal is not None:
            self._terminal.write("\r\x1b[K", ending="")
