"""A wrong Host or `next` makes no noise, and security headers stand on every answer (S-24)."""

import ast
import asyncio
import logging
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils.datastructures import CaseInsensitiveMapping as HttpHeaders

from ocpi.errors import InvalidParameters
from operators.groups import Role
from settings.asgi import application
from settings.log_lines import Line
from settings.refusals import refusal
from tests.operators.staff import PASSWORD, person
from tests.operators.test_second_factor import deployed

pytestmark = [pytest.mark.security("S-24"), pytest.mark.django_db]

ANSWERS = {
    "an OCPI refusal": ("GET", "/ocpi/versions", 401),
    "OCPI itself": ("GET", "/ocpi", 401),
    "an OCPI path of nobody": ("PUT", "/ocpi/9.9/nowhere/x", 401),
    "a method nobody has": ("TRACE", "/ocpi/versions", 401),
    "the way to the console": ("GET", "/", 302),
    "a page behind the log-in": ("GET", "/admin/hub/exchange/", 302),
    "the log-in": ("GET", "/admin/login/", 200),
    "a page that is none": ("GET", "/nowhere", 404),
    "a static file": ("GET", "/static/console.css", 200),
    "no static file": ("GET", "/static/none.css", 404),
    "a form without its token": ("POST", "/admin/login/", 403),
}


def _check(headers: Any, *, cached: bool = False, hsts: bool = True) -> None:
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert ("no-store" in headers["Cache-Control"]) is not cached
    assert headers.get("Strict-Transport-Security") == ("max-age=31536000" if hsts else None)


@pytest.mark.parametrize("https", [True, False])
@pytest.mark.parametrize("method, path, status", ANSWERS.values(), ids=ANSWERS.keys())
def test_every_answer_carries_the_headers(
    settings: LazySettings, method: str, path: str, status: int, *, https: bool
) -> None:
    """Each once, whatever the status; HSTS where the hub is reached by https; files may be kept."""
    settings.SECURE_HSTS_SECONDS = 31_536_000 if https else 0
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    answer = client.generic(method, path, secure=https)

    b"".join(answer)
    answer.close()
    assert answer.status_code == status
    _check(answer.headers, cached=status == 200 and "/static/" in path, hsts=https)


def test_answers_without_a_view_carry_them_too(settings: LazySettings) -> None:
    """What the server's side of the hub refuses: each header once."""
    settings.SECURE_HSTS_SECONDS = 31_536_000
    for path in ("/ocpi/versions", "/admin/"):
        _check(refusal(InvalidParameters("x", http_status=408), path, {}).headers)
    message = f"/ocpi/2.2.1/sender/{'x' * 5_000}"
    for target, fields in (
        ("/ocpi/versions", []),
        ("/ocpi/2.2.1/sender/locations", []),
        (message, []),
        (f"/admin/{'x' * 5_000}", []),
        ("/", [(b"x", b"y" * 40_000)]),
    ):
        start = _started(target, [(b"host", b"hub"), *fields])
        names = [name for name, _ in start["headers"]]
        assert len(names) == len(set(names))
        assert b"server" not in names
        _check(HttpHeaders({name.decode(): value.decode() for name, value in start["headers"]}))


def _started(target: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": target, "raw_path": target.encode()}
    scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http", "headers": headers}
    asyncio.run(application(scope, receive, send))
    return sent[0]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:443", "a b", "<x>", ""])
def test_a_foreign_host_is_one_line(
    settings: LazySettings, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    """400 without a word about the hub, and at most one warning line in the process log."""
    settings.ALLOWED_HOSTS = ["hub.example.com"]
    client = Client(raise_request_exception=False)

    answer = client.get("/admin/login/", headers={"host": host})

    assert answer.status_code == 400
    _check(answer.headers, hsts=False)
    body = answer.content.decode()
    assert len(body) < 300
    assert not any(word in body for word in ("hub.example.com", "evil", "Traceback", "ALLOWED"))
    lines = [Line("%(levelname)s %(message)s").format(record) for record in caplog.records]
    [line] = [line for line in lines if "HTTP_HOST" in line]
    assert line.startswith("WARNING ")
    assert "\n" not in "".join(lines)


def test_a_failure_of_the_hub_keeps_its_traceback() -> None:
    """Only what a stranger's request is refused for is one line."""
    try:
        int("x")
    except ValueError as error:
        failure = (ValueError, error, error.__traceback__)
    for name, lines in (("django.security.DisallowedHost", 1), ("hub", 4)):
        record = logging.LogRecord(name, logging.ERROR, "x.py", 1, "failed", (), failure)
        assert len(Line("%(message)s").format(record).split("\n")) >= lines
        assert (Line("%(message)s").format(record) == "failed") is (lines == 1)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/admin/",
        "https:evil.example",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "\t//evil.example",
        "",
        None,
    ],
)
def test_a_log_in_never_leads_elsewhere(target: str | None) -> None:
    """In the query or in the form: it ends at the console's start page."""
    person("olga", Role.VIEWER)
    form = {"username": "olga", "password": PASSWORD}
    query = {} if target is None else {"next": target}

    for browser, posted, asked in ((Client(), form, query), (Client(), {**form, **query}, {})):
        answers = (
            browser.post("/admin/login/", posted, query_params=asked),
            browser.get("/admin/login/", query),
        )
        for answer in answers:
            assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
        assert browser.get("/admin/").status_code == 200


def test_a_log_in_leads_back_to_the_page_that_asked_for_it() -> None:
    """A page of the hub's own is where the person was going."""
    person("olga", Role.VIEWER)
    form = {"username": "olga", "password": PASSWORD, "next": "/admin/parties/platform/"}

    answer = Client().post("/admin/login/", form)

    assert answer.headers["Location"] == "/admin/parties/platform/"


@pytest.mark.parametrize("scheme, seconds", [("https", 31_536_000), ("http", 0)])
def test_a_deployment_has_what_its_url_asks_for(scheme: str, seconds: int) -> None:
    """HSTS on https alone, its own host alone, and a process log of single lines."""
    asked = "base.SECURE_HSTS_SECONDS, *base.ALLOWED_HOSTS, base.LOGGING['formatters']"
    said = deployed(asked, HUB_PUBLIC_URL=f"{scheme}://hub.example").split(maxsplit=2)
    assert said[:2] == [str(seconds), "hub.example"]
    assert [each["()"] for each in ast.literal_eval(said[2]).values()] == [
        "settings.log_lines.Line"
    ]
