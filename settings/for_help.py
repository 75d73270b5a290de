"""The settings under which `manage.py` explains its commands: what is not given is made up.

Nothing is done under them: the database and the broker that are made up are nowhere.
"""

import os

_MADE_UP = {
    "HUB_PUBLIC_URL": "https://hub.invalid",
    "HUB_COUNTRY_CODE": "XX",
    "HUB_PARTY_ID": "HUB",
    "SECRET_KEY": "-" * 32,
    "CREDENTIALS_KEYS": f"{'A' * 43}=",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
for _name, _value in _MADE_UP.items():
    if not any(os.environ.get(each, "").strip() for each in (_name, f"{_name}_FILE")):
        os.environ[_name] = _value

from settings.base import *  # noqa: E402, F403 - everything of base, read after the values above
