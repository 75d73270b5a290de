"""A signature of the provider alone lets nobody in: whose, when and for whom a token is counts."""

import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings
from django.test import Client

from operators.groups import Role
from operators.oidc_provider import ProviderTrouble, read
from tests.operators.staff import person
from tests.operators.test_login import few

__all__ = ["few"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security("S-23"),
    pytest.mark.usefixtures("few"),
]
CALLBACK, LOG_IN = "/admin/oidc/callback/", "/admin/login/"
_HOUR = timedelta(hours=1)


class _Provider(BaseHTTPRequestHandler):
    """A provider that says what a test has it say."""

    said: dict[str, Any]

    def do_GET(self) -> None:
        body = json.dumps(self.said[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_words: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Make the provider's key, and somebody else's."""
    first, second = (rsa.generate_private_key(65_537, 2_048) for _ in range(2))
    return first, second


@pytest.fixture
def said(
    keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey], settings: LazySettings
) -> Iterator[dict[str, Any]]:
    """Run the provider, let the hub know it, and return what it says by path."""
    known: dict[str, Any] = {}
    handler = type("_Said", (_Provider,), {"said": known})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    issuer = f"http://127.0.0.1:{server.server_port}"
    ends = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    metadata = {"issuer": issuer, **{name: f"{issuer}/{name}" for name in ends}}
    public = jwt.algorithms.RSAAlgorithm.to_jwk(keys[0].public_key(), as_dict=True)
    known |= {"/.well-known/openid-configuration": metadata, "/jwks_uri": {"keys": [public]}}
    settings.HUB_OIDC_ISSUER = issuer
    settings.HUB_OIDC_CLIENT_ID, settings.HUB_OIDC_CLIENT_SECRET = "hub", "secret"
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "operators.oidc.Backend",
    ]
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


def _log_in(said: dict[str, Any], token: dict[str, Any], **signed: Any) -> str:
    """Go to the provider, come back with a token of these claims; return where that leads."""
    olga = person("olga", Role.OPERATOR)
    olga.email = "olga@example.com"
    olga.save()
    browser, now = Client(), int(time.time())
    begun: Any = browser.get("/admin/oidc/")
    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    issuer = said["/.well-known/openid-configuration"]["issuer"]
    person_of = {"sub": "olga-1", "email": olga.email, "email_verified": True}
    of_now = {"iss": issuer, "aud": "hub", "iat": now, "exp": _HOUR, **person_of}
    claims = {**of_now, "nonce": asked["nonce"][0], **token}
    given = {
        name: now + value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in claims.items()
        if value is not None
    }
    said["/token_endpoint"] = {"access_token": "x", "id_token": jwt.encode(given, **signed)}
    said.setdefault("/userinfo_endpoint", person_of)
    back: Any = browser.get(CALLBACK, {"code": "c", "state": asked["state"][0]})
    leads: str = back.headers["Location"]
    assert browser.get("/admin/").status_code == (302 if leads == LOG_IN else 200)
    return leads


def test_a_token_of_now_for_this_hub_lets_in(said: dict[str, Any], keys: Any) -> None:
    """Also one for several, when it is said that this hub is whom it was issued to."""
    token = {"aud": ["hub", "another"], "azp": "hub"}
    assert _log_in(said, token, key=keys[0], algorithm="RS256") == "/admin/"


@pytest.mark.parametrize(
    "token",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["hub", "another"], "azp": "another"},
        {"exp": -_HOUR},
        {"exp": None},
        {"iat": _HOUR},
        {"nonce": "of another log-in"},
        {"nonce": None},
        {"sub": None},
    ],
    ids=str,
)
def test_another_token_lets_nobody_in(said: dict[str, Any], keys: Any, token: Any) -> None:
    """Of another provider, for another client, of another time or log-in, or of nobody."""
    assert _log_in(said, token, key=keys[0], algorithm="RS256") == LOG_IN


def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    said: dict[str, Any], keys: Any
) -> None:
    """Whoever else has a key."""
    assert _log_in(said, {}, key=keys[1], algorithm="RS256") == LOG_IN


@pytest.mark.filterwarnings("ignore:.*HMAC key is")
@pytest.mark.parametrize("algorithm, key", [("HS256", "secret"), ("none", None)])
def test_a_token_signed_otherwise_lets_nobody_in(
    said: dict[str, Any], algorithm: str, key: str | None
) -> None:
    """By what others know as well, or not at all, whatever the token says of it itself."""
    assert _log_in(said, {}, key=key, algorithm=algorithm) == LOG_IN


def test_the_user_info_of_somebody_else_lets_nobody_in(said: dict[str, Any], keys: Any) -> None:
    """The ID token says who it is; what an access token leads to must be of the same person."""
    said["/userinfo_endpoint"] = {"sub": "boss", "groups": ["hub-admins"]}
    assert _log_in(said, {}, key=keys[0], algorithm="RS256") == LOG_IN


@pytest.mark.parametrize(
    "metadata, trouble",
    [
        ({"issuer": "https://evil.example"}, "says that it is https://evil.example"),
        ({"authorization_endpoint": "http://login.example/a"}, "http://login.example/a is not"),
    ],
)
def test_a_provider_that_says_it_is_another_is_not_asked(
    metadata: dict[str, str], trouble: str
) -> None:
    """Nor one that has people or tokens come by plain http."""
    with pytest.raises(ProviderTrouble, match=re.escape(trouble)):
        read("https://login.example", {"issuer": "https://login.example", **metadata})
