"""What a password of the console must be."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError


@pytest.mark.parametrize(
    "password", ["kq7wPx2mVz9", "password1234", "qwertyuiop123", "administrator"]
)
def test_short_and_common_ones_are_refused(password: str) -> None:
    """It has twelve characters at least, and is none of the common ones."""
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", ["only small letters here", "a" * 6 + "å∫ 中文" * 20])
def test_any_characters_will_do(password: str) -> None:
    """No digit or capital is asked for, none is forbidden, and it may be long."""
    validate_password(password)
