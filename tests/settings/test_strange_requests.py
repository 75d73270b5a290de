"""Requests no browser makes: refused in a word, never with a traceback (S-24)."""

import pytest
from django.test import Client

from settings.log_lines import Line

pytestmark = [pytest.mark.security("S-24"), pytest.mark.django_db]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n\xff%41\r\n--x--\r\n'
REQUESTS = {
    f"{method} {path} as {kind}": (method, path, kind, body)
    for method, path, kind, body in (
        *(
            (method, path, f"{kind}; charset={charset}", body)
            for method, path, kind, body in (
                ("GET", "/admin/login/?next=%41", "text/plain", b""),
                ("POST", "/admin/login/", FORM, b"username=%41"),
                ("POST", "/admin/login/", MULTIPART, PART),
                ("GET", "/admin/oidc/callback/?state=%41", "text/plain", b""),
                ("GET", "/ocpi/versions?x=%41", "text/plain", b""),
                ("POST", "/ocpi/2.2.1/credentials", FORM, b"x=%41"),
            )
            for charset in ("hex", "rot13", "nonsense", "utf-16", "idna", "undefined", "x" * 300)
        ),
        ("POST", "/admin/login/", "multipart/form-data", b"x"),
        ("POST", "/admin/login/", "multipart/form-data; boundary=", b"x"),
        ("POST", "/admin/login/", "multipart/form-data; boundary=\xff", b"x"),
        ("POST", "/admin/login/", MULTIPART, PART * 2_000),
        ("POST", "/admin/login/", FORM, b"a&" * 5_000),
        ("GET", "/admin/login/?" + "a&" * 1_900, "", b""),
        ("GET", "/static/%00", "", b""),
        ("GET", "/static/../settings/base.py", "", b""),
        ("GET", "/static/" + "x" * 300, "", b""),
        ("GET", "/admin/%ff%00/", "", b""),
        ("GET", "/admin/login/?next=%00%ff", "", b""),
        ("GET", "/admin/break-glass/%00/", "", b""),
        ("GET", "/admin/r/1/%00/", "", b""),
        ("GET", "/admin/jsi18n/?x=%ff", "", b""),
        ("WHATEVER", "/admin/login/", "", b""),
        ("OPTIONS", "/admin/login/", "", b""),
        ("TRACE", "/admin/oidc/start/", "", b""),
    )
}
HEADERS = [
    {"cookie": "sessionid=\x00\xff; csrftoken=" + "x" * 500},
    {"cookie": ";;=;\x01=,"},
    {"x-forwarded-for": "::::,%,fe80::1%x, 1.2.3.4:99999"},
    {"x-forwarded-proto": "javascript"},
    {"accept-language": "x-" * 500 + ",;q=\xff"},
    {"referer": "http://[::"},
    {"origin": "http://[::"},
    {"if-modified-since": "Mon, 99 Foo 99999 99:99:99 GMT"},
    {"range": "bytes=9999999999999999999-x"},
    {"accept-encoding": "gzip;q=x" * 100},
    {"accept": "x" * 1_000},
    {"user-agent": "\x1b[31m\x00"},
    {"content-length": "x"},
    {"expect": "nonsense"},
]


def _is_quiet(caplog: pytest.LogCaptureFixture) -> bool:
    line = Line("%(levelname)s %(message)s")
    return not any("\n" in line.format(each) for each in caplog.records)


@pytest.mark.parametrize("method, path, kind, body", REQUESTS.values(), ids=REQUESTS.keys())
def test_whatever_it_is_it_is_no_failure_of_the_hub(
    caplog: pytest.LogCaptureFixture, method: str, path: str, kind: str, body: bytes
) -> None:
    """A status of the sender's fault, and no traceback in the process log."""
    client = Client(raise_request_exception=False)

    answer = client.generic(method, path, body, content_type=kind)

    assert answer.status_code < 500
    assert _is_quiet(caplog)


@pytest.mark.parametrize("headers", HEADERS, ids=str)
@pytest.mark.parametrize("path", ["/admin/login/", "/static/console.css", "/ocpi/versions", "/"])
def test_strange_headers_are_no_failure_either(
    caplog: pytest.LogCaptureFixture, path: str, headers: dict[str, str]
) -> None:
    """Whatever they say."""
    for method in ("GET", "POST"):
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        answer = client.generic(method, path, headers=headers, secure=method == "POST")
        answer.close()
        assert answer.status_code < 500
    assert _is_quiet(caplog)
