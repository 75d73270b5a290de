"""Development secrets are made once and kept from others."""

from pathlib import Path

from cryptography.fernet import Fernet

from local import dev_secrets


def test_secrets_stay_the_same(tmp_path: Path) -> None:
    """The second start reads what the first one encrypted, and shows the same password."""
    assert dev_secrets.keys(tmp_path) == dev_secrets.keys(tmp_path)


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    """The file has mode 600."""
    dev_secrets.keys(tmp_path)
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_the_credentials_key_is_a_key(tmp_path: Path) -> None:
    """The hub takes it as it is."""
    Fernet(dev_secrets.keys(tmp_path)["CREDENTIALS_KEYS"])


def test_a_secret_that_is_missing_is_added(tmp_path: Path) -> None:
    """A file of an earlier version keeps its values."""
    (tmp_path / "secrets.env").write_text("SECRET_KEY=kept\n")
    assert dev_secrets.keys(tmp_path)["SECRET_KEY"] == "kept"
    assert dev_secrets.keys(tmp_path)["ADMIN_PASSWORD"]
