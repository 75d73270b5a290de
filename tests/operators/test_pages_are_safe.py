"""What a browser may do on the pages of the console: nothing from elsewhere, nothing inline."""

import ast
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.factories import AgreementFactory, PlatformFactory

pytestmark = pytest.mark.django_db
_SCRIPT = re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))", re.IGNORECASE)
_HANDLER = re.compile(r"<[^>]*\son[a-z]+=", re.IGNORECASE)
_OUTSIDE = re.compile(r"(?:src|href|action)=\"(?:https?:)?//", re.IGNORECASE)


def pages() -> list[str]:
    """Return every list of the console, its first page, forms, and the pages of a log-in."""
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]
    return ["/admin/", *lists, "/admin/parties/platform/add/", "/admin/two-factor/"]


def directives(answer: Any) -> dict[str, list[str]]:
    """Return the policy of an answer, by directive."""
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def test_the_policy_allows_this_host_alone(admin_client: Client) -> None:
    """No outside host, no inline script; eval is what the theme's Alpine needs."""
    for answer in (admin_client.get("/admin/"), Client().get("/admin/login/")):
        policy = directives(answer)
        assert policy["default-src"] == ["'none'"]
        assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
        assert {word for words in policy.values() for word in words} == {
            *("'none'", "'self'", "'unsafe-eval'", "'unsafe-inline'", "data:")
        }
        assert policy["frame-ancestors"] == ["'none'"]


def test_no_page_needs_what_the_policy_forbids(admin_client: Client) -> None:
    """No script and no handler stands in a page, and nothing is asked of another host."""
    agreement, platform = AgreementFactory.create(), PlatformFactory.create()
    rows = [
        reverse("admin:parties_platform_change", args=[platform.pk]),
        reverse("admin:parties_platform_suspend", args=[platform.pk]),
        reverse("admin:parties_platform_onboarding", args=[platform.pk]),
        reverse("admin:parties_agreement_change", args=[agreement.pk]),
    ]
    for page in (*pages(), *rows):
        answer = admin_client.get(page)
        assert answer.status_code == 200, page
        html = answer.content.decode()
        for pattern in (_SCRIPT, _HANDLER, _OUTSIDE):
            found = pattern.search(html)
            assert found is None, (page, html[found.start() : found.start() + 200])


def test_no_page_of_the_console_is_kept_by_a_cache(admin_client: Client) -> None:
    """What an operator saw is not seen by the next at the same machine."""
    for page in ("/admin/", "/admin/parties/platform/", "/admin/two-factor/"):
        assert "no-store" in admin_client.get(page).headers["Cache-Control"], page


def test_the_secrets_of_the_second_factor_have_no_page(admin_client: Client) -> None:
    """Not even an administrator reads the secret of another's app."""
    assert not [model for model in admin.site._registry if model._meta.app_label.startswith("otp_")]
    assert admin_client.get("/admin/otp_totp/totpdevice/").status_code == 404


def test_behind_tls_cookies_are_of_this_host_alone() -> None:
    """Secure, out of reach of scripts, and named so that no other host sets them."""
    names = ("SESSION", "CSRF")
    flags = ("NAME", "SECURE", "HTTPONLY", "SAMESITE")
    read = ", ".join(f"base.{name}_COOKIE_{flag}" for name in names for flag in flags)
    given = {
        "HUB_PUBLIC_URL": "https://hub.example.com",
        "HUB_COUNTRY_CODE": "NL",
        "HUB_PARTY_ID": "HUB",
        "SECRET_KEY": settings.SECRET_KEY,
        "CREDENTIALS_KEYS": ",".join(settings.CREDENTIALS_KEYS),
        "DATABASE_URL": "postgresql://hub@database.example.com/hub",
        "REDIS_URL": "redis://broker.example.com/0",
        "PATH": os.environ["PATH"],
    }
    said = subprocess.check_output(
        [sys.executable, "-c", f"from settings import base; print([{read}, base.HUB_PROXIES])"],
        env=given,
        text=True,
    )
    assert ast.literal_eval(said) == [
        *("__Host-session", True, True, "Lax"),
        *("__Host-csrf", True, True, "Lax"),
        1,
    ]
