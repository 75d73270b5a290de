"""The settings of the test run: fixed secrets, loopback peers, a database quick to empty."""

import os

_FIXED = {
    "HUB_PUBLIC_URL": "http://localhost:8000",
    "HUB_COUNTRY_CODE": "NL",
    "HUB_PARTY_ID": "HUB",
    "HUB_NAME": "Test hub",
    "HUB_ACCESS": "agreement",
    "HUB_ALLOW_PRIVATE_ADDRESSES": "true",
    "HUB_ALLOW_HTTP_PEERS": "true",
    "HUB_CONNECT_TIMEOUT": "1",
    "HUB_REQUEST_TIMEOUT": "2",
    "HUB_MESSAGE_LOG_DAYS": "0",  # tests of the log turn it on
    "HUB_PULL_PAUSE": "0",
    "HUB_LOGIN_REQUESTS_PER_MINUTE": "600",
    "HUB_REQUESTS_PER_MINUTE": "60000",  # generated messages come as fast as they are taken
    "HUB_TOKEN_DAYS": "0",  # objects of tests stay as old as they say
    "HUB_SESSION_DAYS": "0",
    "HUB_CDR_DAYS": "0",
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "CREDENTIALS_KEYS": "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMTI=",
    "ALLOWED_HOSTS": "*",
}
os.environ.update(_FIXED)
os.environ.setdefault("DATABASE_URL", "postgresql://unset@127.0.0.1:1/unset")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")

# Each worker of a run has a PostgreSQL server of its own, and a database of its own in Redis.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_server = os.environ.get(f"DATABASE_URL_{_worker.upper()}", os.environ["DATABASE_URL"])
_broker = os.environ["REDIS_URL"].rpartition("/")[0]
os.environ["DATABASE_URL"] = _server
os.environ["REDIS_URL"] = f"{_broker}/{_worker.removeprefix('gw')}"

from settings.base import *  # noqa: E402, F403 - everything of base, read after the values above
from settings.base import DATABASES, INSTALLED_APPS  # noqa: E402

DATABASES["default"]["ENGINE"] = "tests.database_backend"
DATABASES["default"]["OPTIONS"]["pool"]["timeout"] = 5
INSTALLED_APPS += ["tests.database_backend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: nobody attacks them
WHITENOISE_AUTOREFRESH = True  # else every client first looks for all files; off in tests/settings
