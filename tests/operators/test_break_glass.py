"""Where an identity provider's word counts: what a password opens beside it, and for how long."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from operators import break_glass
from tests.operators.staff import console
from tests.operators.test_login import VERIFY, enrolled, few
from tests.operators.test_login_events import Old, olga

__all__ = ["few", "olga"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few")]


@pytest.mark.security("S-23")
@pytest.mark.parametrize("off", [-1, 1])
def test_a_link_that_breaks_the_glass_is_good_for_some_minutes(
    olga: User, settings: LazySettings, off: int
) -> None:
    """After them it opens no password log-in, were it never used."""
    settings.HUB_OIDC_ONLY = True
    signer = Old(salt="operators.break_glass")
    signer.age = timedelta(minutes=break_glass.MOST_MINUTES_BROKEN + off)
    browser = Client()
    browser.get(f"/admin/break-glass/{signer.sign_object(('olga', str(olga.last_login)))}/")
    asked = 'name="password"' in browser.get("/admin/login/").content.decode()
    assert asked is (off < 0)


@pytest.mark.security("S-23")
def test_a_password_needs_the_second_factor_beside_a_provider_too(
    olga: User, settings: LazySettings
) -> None:
    """Only whom the provider let in is not asked for a code."""
    enrolled(olga)
    settings.HUB_OIDC_ISSUER = "https://login.example"
    answer: Any = console(olga).get("/admin/")
    assert answer.headers["Location"].startswith(VERIFY)
