"""The readers of the environment: a right value, or one sentence that stops the start."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from settings import env

Setter = Callable[[str], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Setter:
    """Set the variable `X`."""
    monkeypatch.delenv("X", raising=False)
    monkeypatch.delenv("X_FILE", raising=False)
    return lambda value: monkeypatch.setenv("X", value)


def _stops(read: Callable[[], object]) -> str:
    with pytest.raises(env.Misconfigured) as stopped:
        read()
    sentence = str(stopped.value)
    assert sentence.startswith("X")
    assert "\n" not in sentence
    assert sentence.endswith("(see .env.example)")
    return sentence


def test_a_text_is_stripped_and_blank_means_unset(given: Setter) -> None:
    """Blanks around a value are an accident of the file it stood in."""
    given("  hub  ")
    assert env.text("X") == "hub"
    given("   ")
    assert env.text("X", "default") == "default"
    assert "is not set" in _stops(lambda: env.text("X"))


def test_a_secret_is_long(given: Setter) -> None:
    """A short secret stops the start and is not repeated in the sentence."""
    given("s3cr3t")
    assert "s3cr3t" not in _stops(lambda: env.secret("X"))
    given("x" * 32)
    assert env.secret("X") == "x" * 32


def test_a_value_may_stand_in_a_file(
    given: Setter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`X_FILE` names a file, as container secrets are mounted; the variable itself wins."""
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    assert env.text("X") == "from the file"
    given("direct")
    assert env.text("X") == "direct"


def test_a_file_that_cannot_be_read_stops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing file is not the same as an unset secret."""
    monkeypatch.delenv("X", raising=False)
    monkeypatch.setenv("X_FILE", str(tmp_path / "missing"))
    assert "cannot be read" in _stops(lambda: env.text("X", "default"))


@pytest.mark.parametrize("text, value", [("true", True), ("FALSE", False), ("True", True)])
def test_a_boolean_is_true_or_false(given: Setter, text: str, value: object) -> None:
    """Only these two words, in any case."""
    given(text)
    assert env.boolean("X", default=not value) is value


@pytest.mark.parametrize("text", ["1", "yes", "on", "t"])
def test_anything_else_is_no_boolean(given: Setter, text: str) -> None:
    """What looks like yes may have meant no somewhere else."""
    given(text)
    _stops(lambda: env.boolean("X", default=False))


def test_numbers_have_a_least_value(given: Setter) -> None:
    """Neither words nor infinities nor too small ones; whole where whole is meant."""
    given("2.5")
    assert env.number("X", 1) == 2.5
    _stops(lambda: env.integer("X", 1))
    _stops(lambda: env.number("X", 1, least=3))
    given("3")
    assert env.integer("X", 1) == 3
    for wrong in ("x", "inf", "nan", "-1", "1e999"):
        given(wrong)
        _stops(lambda: env.integer("X", 1))


def test_a_choice_is_one_of_a_closed_list(given: Setter) -> None:
    """Another word stops the start and the sentence lists the right ones."""
    given("closed")
    assert "agreement, open" in _stops(lambda: env.choice("X", "open", among=("agreement", "open")))
    given("open")
    assert env.choice("X", "agreement", among=("agreement", "open")) == "open"


def test_a_colour_is_six_digits_behind_a_hash(given: Setter) -> None:
    """Neither a name nor a short form, which not every place understands."""
    given("#0F766E")
    assert env.colour("X", "#000000") == "#0f766e"
    for wrong in ("teal", "#0f7", "0f766e", "#0f766e80", "#0f766g"):
        given(wrong)
        assert "#rrggbb" in _stops(lambda: env.colour("X", "#000000"))


def test_words_are_separated_by_commas(given: Setter) -> None:
    """Blanks and empty words are left out."""
    given(" a, b ,,c,")
    assert env.words("X") == ["a", "b", "c"]
    given(",")
    assert env.words("X", "z") == []


def test_a_url_is_absolute_and_of_the_right_kind(given: Setter) -> None:
    """Another scheme, or no host, stops the start; a slash at the end is cut."""
    given("https://hub.example/base/")
    assert env.url("X", schemes=("https",)) == "https://hub.example/base"
    for wrong in ("hub.example", "ftp://hub.example", "https://", "/path"):
        given(wrong)
        assert "https://" in _stops(lambda: env.url("X", schemes=("https",)))


def test_a_database_is_a_url_that_libpq_understands(given: Setter) -> None:
    """Its parameters are options of the connection; a host may be a folder with a socket."""
    given("postgresql://hub:p%40ss@db.example.com:6432/roaming?sslmode=verify-full")
    assert env.database("X") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "roaming",
        "USER": "hub",
        "PASSWORD": "p@ss",
        "HOST": "db.example.com",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "verify-full"},
    }
    given("postgres:///hub?host=/run/postgresql")
    assert (env.database("X")["HOST"], env.database("X")["OPTIONS"]) == ("/run/postgresql", {})
    given("postgresql://hub:s3 cr3t@db.example.com/hub")
    sentence = _stops(lambda: env.database("X"))
    assert "percent-encode" in sentence
    assert "s3" not in sentence


@pytest.mark.parametrize(
    "missing", ["SECRET_KEY", "CREDENTIALS_KEYS", "HUB_PUBLIC_URL", "REDIS_URL"]
)
def test_a_missing_setting_stops_the_start_with_one_sentence(missing: str) -> None:
    """No traceback: the name, what is wrong, and where it is explained."""
    complete = {
        "HUB_PUBLIC_URL": "https://hub.example",
        "HUB_COUNTRY_CODE": "NL",
        "HUB_PARTY_ID": "HUB",
        "SECRET_KEY": "x" * 40,
        "CREDENTIALS_KEYS": "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMTI=",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PATH": os.environ["PATH"],
    }
    del complete[missing]

    process = subprocess.run(
        [sys.executable, "-c", "import settings.base"],
        env=complete,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 1
    assert process.stderr.strip() == f"{missing} is not set (see .env.example)"


@pytest.mark.parametrize(
    "address, expected",
    [
        ("https://tiles.example.com/{z}/{x}/{y}.png", ["https://tiles.example.com"]),
        ("/tiles/{z}/{x}/{y}.png", []),
        ("", []),
    ],
)
def test_the_origin_of_an_address_is_what_a_policy_names(address: str, expected: list[str]) -> None:
    """The browser loads tiles from there, and from nowhere else."""
    assert env.origin(address) == expected
