"""The second factor: required on https, hard to take over, and of no use to who copies it."""

import os
import subprocess
import sys
from base64 import b32decode
from importlib import import_module
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import LazySettings
from django.core import signing
from django.db import connection
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from operators import second_factor
from operators.groups import Role
from operators.models import Authenticator, ConsoleSession
from tests.operators.staff import PASSWORD, console, person
from tests.operators.test_login import TWO_FACTOR, VERIFY, code_of, enrolled, shown_in
from tests.parties.commands import run_json

pytestmark = [pytest.mark.django_db, pytest.mark.security("S-23")]


def deployed(what: str, **given: str) -> str:
    """Return what the settings of a deployment say."""
    environment = {
        "HUB_PUBLIC_URL": "https://hub.example",
        "HUB_COUNTRY_CODE": "NL",
        "HUB_PARTY_ID": "HUB",
        "SECRET_KEY": "x" * 40,
        "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "postgresql://hub@database.example.com/hub",
        "REDIS_URL": "redis://broker.example.com/0",
        "PATH": os.environ["PATH"],
        **given,
    }
    program = f"from settings import base; print({what})"
    command = [sys.executable, "-c", program]
    return subprocess.check_output(command, env=environment, text=True).strip()


@pytest.mark.parametrize(
    "url, expected", [("https://hub.example", "required"), ("http://hub", "optional")]
)
def test_it_is_required_where_the_hub_is_on_https(url: str, expected: str) -> None:
    """Unless the setting says otherwise."""
    assert deployed("base.HUB_CONSOLE_2FA", HUB_PUBLIC_URL=url) == expected


def test_former_keys_are_good_as_long_as_the_setting_names_them() -> None:
    """The newest signs; what the others signed is still read."""
    keys = {"SECRET_KEY": "n" * 40, "SECRET_KEY_FALLBACKS": f"{'a' * 40},{'b' * 40}"}
    said = deployed("base.SECRET_KEY, *base.SECRET_KEY_FALLBACKS", **keys)
    assert said.split() == ["n" * 40, "a" * 40, "b" * 40]


def test_enrolling_asks_for_the_password() -> None:
    """A session that was left open gets no second factor."""
    browser = console(person("olga", Role.OPERATOR))
    for password in ("", "wrong"):
        answer = browser.post(TWO_FACTOR, {"password": password, "code": shown_in(browser)})
        assert "This password is not yours." in answer.content.decode()
    assert not Authenticator.objects.exists()


def test_a_seed_that_was_shown_in_a_session_is_enrolled_in_that_alone() -> None:
    """Who reads it over a shoulder, or in a browser left open, holds nobody's second factor."""
    user = person("olga", Role.OPERATOR)
    texts = [_seed(console(user)) for _ in range(2)]
    assert texts[0] != texts[1]


def test_recovery_codes_and_removal_ask_for_the_password() -> None:
    """A code alone is not enough."""
    user = person("olga", Role.OPERATOR)
    browser, _, device = enrolled(user)
    for action in ("codes", "remove"):
        answer = browser.post(TWO_FACTOR, {action: "", "code": code_of(device, ahead=1)})
        assert "This password is not yours." in answer.content.decode()
    assert Authenticator.objects.filter(user=user).exists()


def test_no_table_has_a_seed() -> None:
    """Neither while it is enrolled nor after; in no spelling."""
    user = person("olga", Role.OPERATOR)
    browser = console(user)
    text = _seed(browser)
    seed = b32decode(text)
    for _ in range(2):
        kept = "".join(_everything())
        assert text not in kept
        assert seed.hex() not in kept.lower()
        browser.post(TWO_FACTOR, {"password": PASSWORD, "code": f"{totp(seed):06}"})
    assert Authenticator.objects.get().bin_key == seed


def test_seeds_of_before_are_sealed_by_the_migration() -> None:
    """The same app goes on; and back, should the migration be undone."""
    user = person("olga", Role.OPERATOR)
    old = TOTPDevice.objects.create(user=user, name="app", last_t=7)
    TOTPDevice.objects.create(user=user, name="app", confirmed=False)
    migration = import_module("operators.migrations.0002_door")
    migration.seal_seeds(apps, None)
    assert not TOTPDevice.objects.exists()
    new = Authenticator.objects.get()
    assert (new.bin_key, new.last_t) == (old.bin_key, 7)
    assert console(user).post(VERIFY, {"code": f"{totp(new.bin_key):06}"}).status_code == 302
    migration.unseal_seeds(apps, None)
    assert TOTPDevice.objects.get().key == old.key


def test_seeds_survive_a_change_of_keys(settings: LazySettings) -> None:
    """They are sealed anew with the tokens of peers."""
    user = person("olga", Role.OPERATOR)
    _, _, device = enrolled(user)
    new = [Fernet.generate_key().decode()]
    settings.CREDENTIALS_KEYS = new + settings.CREDENTIALS_KEYS
    assert run_json("reencrypt_credentials") == {"reencrypted": 1}
    settings.CREDENTIALS_KEYS = new
    assert console(user).post(VERIFY, {"code": code_of(device, ahead=1)}).status_code == 302


def test_a_key_that_is_gone_lets_nobody_in(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    """A seed that cannot be read matches no code; the log says what happened."""
    user = person("olga", Role.OPERATOR)
    enrolled(user)
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    assert console(user).post(VERIFY, {"code": "123456"}).status_code == 200
    assert "CREDENTIALS_KEYS" in caplog.text


def test_sessions_links_and_recovery_codes_survive_another_secret_key(
    settings: LazySettings,
) -> None:
    """As long as the old key is among the fallbacks; recovery codes for good."""
    user = person("olga", Role.OPERATOR)
    browser, codes, _ = enrolled(user)
    signed = signing.dumps("a link")
    settings.SECRET_KEY, old = "another-key-another-key-another-key", settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [old]
    assert browser.get("/admin/").status_code == 200
    assert signing.loads(signed) == "a link"
    settings.SECRET_KEY_FALLBACKS = []
    assert browser.get("/admin/").status_code == 200
    ConsoleSession.objects.all().delete()
    assert console(user).post(VERIFY, {"code": codes[0]}).status_code == 302


def test_recovery_codes_of_before_are_good_under_another_secret_key(
    settings: LazySettings,
) -> None:
    """Those made with the key in their hash are looked for with all keys there are."""
    user = person("olga", Role.OPERATOR)
    enrolled(user)
    device = StaticDevice.objects.get(user=user)
    device.token_set.all().delete()
    device.token_set.create(token=next(second_factor._hashed_formerly("abcdefghijklmnop")))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-another-key-another-key"
    answer = console(user).post(VERIFY, {"code": "ABCD-EFGH-IJKL-MNOP"})
    assert answer.status_code == 302


def test_recovery_codes_cannot_be_guessed() -> None:
    """Each has 120 random bits; of them 112 are what needs no slow hash."""
    codes = second_factor.recovery_codes(person("olga", Role.OPERATOR))
    assert len(set(codes)) == 10
    assert {len(code.replace("-", "")) for code in codes} == {24}


def test_an_administrator_does_not_take_an_own_second_factor_away_by_the_list() -> None:
    """One's own asks for password and code."""
    anna = person("anna", Role.ADMINISTRATOR)
    browser, _, _ = enrolled(anna)
    chosen = {"action": "reset_two_factor", "_selected_action": [str(anna.pk)]}
    browser.post("/admin/auth/user/", chosen)
    assert Authenticator.objects.filter(user=anna).exists()


def _seed(browser: Client) -> str:
    answer: Any = browser.get(TWO_FACTOR)
    return str(answer.context["text"])


def _everything() -> list[str]:
    with connection.cursor() as cursor:
        stored = []
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("operators_", "otp_", "django_session", "auth_user")):
                cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")  # noqa: S608
                stored += [row for (row,) in cursor.fetchall()]
    # What a session keeps is signed and packed.
    stored += [
        str(signing.loads(row.session_data, salt="django.contrib.sessions.SessionStore"))
        for row in ConsoleSession.objects.all()
    ]
    return stored
