"""A registered platform whose every answer is hostile: to relays, deliveries, pulls and pings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json import loads
from random import Random
from zlib import compress

from sandbox.platform import SandboxPlatform
from sandbox.server import Answer, Call
from tests.hostile import material

_STATUSES = (200, 200, 200, 201, 204, 301, 400, 404)
_FAILURES = (500, 502, 503)
"""Never with an envelope: such an answer is a party's own, and goes to who asked as it is."""
_AT_MOST_OBJECTS = 12
_PAGES = 40


@dataclass
class Hostility:
    """What the platform answers, drawn from a seed; `answers` counts it."""

    platform: SandboxPlatform
    chance: Random
    answers: int = 0
    pages: int = 0
    _ways: Sequence[Callable[[Call], None]] = field(default=(), init=False)

    def begin(self) -> None:
        """Answer nothing rightly any more."""
        well, badly = [self._data, self._page, self._mutated_page], [self._bare, self._garbage]
        self._ways = (
            *(well * 4),
            *badly,
            self._headers,
            self._interim,
            self._compressed,
            self._cut,
        )
        self.platform.answer(lambda _: True, self._respond)

    def _respond(self, call: Call) -> None:
        self.answers += 1
        self.chance.choice(self._ways)(call)

    def _say(
        self,
        call: Call,
        body: bytes,
        headers: Mapping[str, str] = {},
        *,
        among: Sequence[int] = _STATUSES,
    ) -> None:
        status = self.chance.choice(among)
        call.send(Answer(status, body, {"Content-Type": "application/json", **headers}))

    def _data(self, call: Call) -> None:
        self._say(call, _envelope(material.json(self.chance)))

    def _page(self, call: Call) -> None:
        """A list that goes on, for a while, at a URL of this platform or of another."""
        self.pages += 1
        objects = [material.json(self.chance) for _ in range(self.chance.randrange(3))]
        self._say(call, _envelope(b"[%b]" % b",".join(objects)), self._links(call))

    def _mutated_page(self, call: Call) -> None:
        """A list that is JSON, of objects that are not right."""
        self.pages += 1
        drawn = (material.json(self.chance) for _ in range(_AT_MOST_OBJECTS))
        body = _envelope(b"[%b]" % b",".join(text for text in drawn if _is_json(text)))
        self._say(call, body, self._links(call), among=(200,))

    def _links(self, call: Call) -> dict[str, str]:
        origin = f"http://{call.seen.headers.get('Host', 'x')}"
        link = self.chance.choice(
            (
                f'<{origin}{call.seen.route}?offset={self.pages % _PAGES}>; rel="next"',
                "<http://127.0.0.1:1/x>; rel=next",
                "<" * 500,
                f'<{origin}/{"a" * 3_000}>; rel="next"',
            )
        )
        total = self.chance.choice(("5", "-1", "9" * 30, "x"))
        return {"Link": link, "X-Total-Count": total, "X-Limit": total}

    def _bare(self, call: Call) -> None:
        body = material.json(self.chance)
        self._say(call, body, {"Location": "http://127.0.0.1:1/"}, among=(*_STATUSES, *_FAILURES))

    def _garbage(self, call: Call) -> None:
        call.send_bytes(self.chance.randbytes(500) + b"\r\n\r\n")
        call.hang_up()

    def _headers(self, call: Call) -> None:
        lines = b"".join(
            b"X-%d: y\r\n" % number for number in range(self.chance.choice((50, 5_000)))
        )
        call.send_bytes(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n{}")
        call.hang_up()

    def _interim(self, call: Call) -> None:
        call.send_bytes(b"HTTP/1.1 100 Continue\r\n\r\n" * self.chance.choice((1, 5, 500)))
        self._data(call)

    def _compressed(self, call: Call) -> None:
        bomb = compress(b" " * self.chance.choice((100, 30_000_000)))
        coding = self.chance.choice(("deflate", "gzip", "br", "x"))
        self._say(call, bomb, {"Content-Encoding": coding})

    def _cut(self, call: Call) -> None:
        call.send_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
        call.hang_up()


def _envelope(data: bytes) -> bytes:
    return b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z","data":%b}' % data


def _is_json(text: bytes) -> bool:
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True
