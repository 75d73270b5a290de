"""Logging in at the console, in a real browser."""

import re
from base64 import b32decode

from django.conf import LazySettings
from django_otp.oath import totp
from playwright.sync_api import Page, expect

from operators.groups import Role
from tests.browser.conftest import Enter
from tests.operators.staff import PASSWORD, person


def log_in(page: Page, name: str) -> None:
    """Give name and password."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_a_password_opens_the_dashboard(enter: Enter) -> None:
    """And logging out closes it, for whoever goes there by hand too."""
    person("vera", Role.VIEWER)
    page = enter()
    log_in(page, "vera")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    page.get_by_text("vera", exact=True).click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_have_count(0)
    page.goto("/admin/")
    expect(page).to_have_url(re.compile("/admin/login/"))
    expect(page.get_by_label("Username")).to_be_visible()


def test_a_second_factor_is_enrolled_and_asked_for(enter: Enter, settings: LazySettings) -> None:
    """First the app is enrolled; at the next log-in its next code opens the console."""
    settings.HUB_CONSOLE_2FA = "required"
    person("olga", Role.OPERATOR)
    page = enter()
    log_in(page, "olga")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    secret = b32decode(page.locator("code.hub-key").inner_text())
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code of your app").fill(f"{totp(secret):06}")
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("listitem")).to_have_count(10)
    page.get_by_role("link", name="I have them").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    page = enter()
    log_in(page, "olga")
    page.get_by_label("Code of your app").fill(f"{totp(secret, drift=1):06}")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
