"""Ways a platform misbehaves on the wire, each a small responder to be passed to `.answer()`.

Most were seen in the field: bare errors, HTML, truncated JSON, hanging and resetting peers.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from ocpi.transport import envelope
from sandbox.server import Answer, Call, Responder

JSON = "application/json"


def say(
    http_status: int, body: bytes, *, content_type: str = JSON, headers: Mapping[str, str] = {}
) -> Responder:
    """Answer exactly this, whatever was asked; the request takes no effect."""
    answer = Answer(http_status, body, {"Content-Type": content_type, **headers})
    return lambda call: call.send(answer)


def refuse(status_code: int, message: str = "refused", *, http_status: int = 200) -> Responder:
    """Answer with an OCPI status code in a proper envelope."""
    envelope = {
        "status_code": status_code,
        "status_message": message,
        "timestamp": "2026-01-01T00:00:00Z",
    }
    return say(http_status, json.dumps(envelope).encode())


def reply(data: object, status_code: int = 1000) -> Responder:
    """Answer these data in a proper envelope: TOO_OFTEN, NO_CREDIT, whatever may be said."""
    rendered = json.dumps(data).encode()
    return say(200, envelope.render(status_code=status_code, data=rendered))


def detail(http_status: int, text: str = "Forbidden") -> Responder:
    """Answer an error without an envelope, as Python platform libraries do."""
    return say(http_status, json.dumps({"detail": text}).encode())


def html(http_status: int = 500) -> Responder:
    """Answer a web server's error page."""
    page = b"<html><body><h1>Something went wrong</h1></body></html>"
    return say(http_status, page, content_type="text/html")


def unauthorized() -> Responder:
    """Answer 401 with an envelope, as if the token were unknown."""
    return refuse(2001, "unknown token", http_status=401)


def redirect(location: str, http_status: int = 302) -> Responder:
    """Send the caller elsewhere."""
    return say(http_status, b"", headers={"Location": location})


def huge(size: int = 20_000_000) -> Responder:
    """Answer success with a body of that many bytes."""
    head, tail = b'{"status_code":1000,"data":"', b'","timestamp":"2026-01-01T00:00:00Z"}'
    return say(200, head + b"x" * (size - len(head) - len(tail)) + tail)


def hang(seconds: float) -> Responder:
    """Do as asked, but only after that many seconds."""

    def respond(call: Call) -> None:
        call.pause(seconds)
        call.send(call.usual())

    return respond


def swallow(seconds: float) -> Responder:
    """Take effect at once, but withhold the answer: the caller cannot know what happened."""

    def respond(call: Call) -> None:
        answer = call.usual()
        call.pause(seconds)
        call.send(answer)

    return respond


def reset() -> Responder:
    """Reset the connection instead of answering; the request takes no effect."""
    return Call.reset


def truncated() -> Responder:
    """Do as asked, announce the whole answer, send half of it and hang up."""

    def respond(call: Call) -> None:
        answer = call.usual()
        announced = {**answer.headers, "Content-Length": str(len(answer.body))}
        call.send(replace(answer, body=answer.body[: len(answer.body) // 2], headers=announced))
        call.hang_up()

    return respond


def broken_json() -> Responder:
    """Do as asked and answer half the JSON, as if it were all."""

    def respond(call: Call) -> None:
        answer = call.usual()
        call.send(replace(answer, body=answer.body[: len(answer.body) // 2]))

    return respond


def relinked(link: str | None, **changed: str | None) -> Responder:
    """Do as asked, with this Link and these headers (`X_Total_Count`); None leaves one out."""
    headers = {name.replace("_", "-"): value for name, value in changed.items()} | {"Link": link}

    def respond(call: Call) -> None:
        answer = call.usual()
        changed = {**answer.headers, **headers}
        kept = {name: value for name, value in changed.items() if value is not None}
        call.send(replace(answer, headers=kept))

    return respond


def drip(seconds_per_byte: float = 1.0) -> Responder:
    """Do as asked, then send the answer's body one byte at a time."""

    def respond(call: Call) -> None:
        answer = call.usual()
        announced = {**answer.headers, "Content-Length": str(len(answer.body))}
        call.send(replace(answer, body=b"", headers=announced))
        for position in range(len(answer.body)):
            call.pause(seconds_per_byte)
            call.send_bytes(answer.body[position : position + 1])

    return respond


def behave() -> Responder:
    """Do as asked."""
    return lambda call: call.send(call.usual())


def every(nth: int, responder: Responder) -> Responder:
    """Misbehave on every n-th call only."""
    numbers = count(1)
    good = behave()
    return lambda call: good(call) if next(numbers) % nth else responder(call)


def first(number: int, responder: Responder) -> Responder:
    """Misbehave on the first calls only, then recover."""
    numbers = count(1)
    good = behave()
    return lambda call: responder(call) if next(numbers) <= number else good(call)
