"""The hub as it is installed."""

import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def _static_files_are_known(settings: LazySettings) -> None:
    """Have WhiteNoise look for its files once, when it begins, as it does in production."""
    settings.WHITENOISE_AUTOREFRESH = False
