"""The credentials tokens a simulated platform gave out, and what each of them is good for.

Credentials chapter: token A until the registration is done, then the token of the credentials.
"""

import secrets
from enum import StrEnum
from threading import Lock

from ocpi.transport.authorization import header


class TokenState(StrEnum):
    """What a token is good for."""

    INVITED = "INVITED"
    """Token A: versions, version details and credentials only."""
    REGISTERED = "REGISTERED"
    """The token in force: everything."""


class Tokens:
    """Tokens issued, compared exactly as they must appear in the Authorization header."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self._states: dict[str, TokenState] = {}
        self._superseded: dict[str, frozenset[str]] = {}
        self._lock = Lock()

    def invite(self, token_a: str | None = None) -> str:
        """Give out a token A, so that the other side can start the registration."""
        return self._add(token_a or secrets.token_hex(24), TokenState.INVITED)

    def issue(self, token: str | None = None) -> str:
        """Give out a token for all requests, valid at once; older ones remain valid."""
        return self._add(token or secrets.token_hex(24), TokenState.REGISTERED)

    def supersede(self, token: str) -> None:
        """Let this token replace all others at its first use."""
        with self._lock:
            self._superseded[token] = frozenset(self._states) - {token}

    def revoke(self, *tokens: str) -> None:
        """Take tokens back; without arguments all of them."""
        with self._lock:
            for token in tokens or tuple(self._states):
                self._states.pop(token, None)

    @property
    def valid(self) -> dict[str, TokenState]:
        """The tokens good for something now; a copy."""
        with self._lock:
            return dict(self._states)

    def find(self, authorization: str | None, *, forms: tuple[bool, ...]) -> str | None:
        """Return the good token this header carries in one of the forms (True: base64)."""
        with self._lock:
            for token in self._states:
                if any(authorization == header(token, base64=form) for form in forms):
                    self._first_use(token)
                    return token
        return None

    def _add(self, token: str, state: TokenState) -> str:
        with self._lock:
            self.issued.append(token)
            self._states[token] = state
        return token

    def _first_use(self, token: str) -> None:
        gone = self._superseded.pop(token, frozenset())
        self._states = {kept: what for kept, what in self._states.items() if kept not in gone}
