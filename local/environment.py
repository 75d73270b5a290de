"""The environments of processes on this machine; a variable that is already set always wins."""

import os
from collections.abc import Sequence

from local import dev_secrets, ports, postgres, valkey
from local.data_dir import CHECKOUT, DataDir
from local.processes import Family

_HUB = {
    "HUB_COUNTRY_CODE": "NL",
    "HUB_PARTY_ID": "HUB",
    "HUB_NAME": "Local hub",
    "HUB_ALLOW_PRIVATE_ADDRESSES": "true",
    "HUB_ALLOW_HTTP_PEERS": "true",
}
_DEPLOYED = {
    "HUB_PUBLIC_URL": "https://hub.example.com",
    "HUB_COUNTRY_CODE": "NL",
    "HUB_PARTY_ID": "HUB",
    "DATABASE_URL": "postgresql://hub@database.example.com/hub",
    "REDIS_URL": "redis://broker.example.com/0",
}


def with_servers(family: Family, data_dir: DataDir, *, port: int = 8000) -> dict[str, str]:
    """Return the environment of a hub on a port, with both servers; those not given are started."""
    made = dev_secrets.keys(data_dir.path)
    address = f"http://{ports.HOST}:{port}"
    defaults = {
        **_HUB,
        "HUB_PUBLIC_URL": address,
        "HUB_BIND_HOST": ports.HOST,
        "SECRET_KEY": made["SECRET_KEY"],
        "CREDENTIALS_KEYS": made["CREDENTIALS_KEYS"],
    }
    # The port was asked for by its own variable, DEMO_PORT or HUB_BIND_PORT.
    environment = {**_absent(defaults), **os.environ, **_python(), "HUB_BIND_PORT": str(port)}
    if not is_given("DATABASE_URL"):
        environment["DATABASE_URL"] = _database(family, data_dir)
    if not is_given("REDIS_URL"):
        environment["REDIS_URL"] = valkey.serve(family, data_dir, password=made["REDIS_PASSWORD"])
    return environment


def for_workers(family: Family, data_dirs: Sequence[DataDir]) -> dict[str, str]:
    """Return what the workers of pytest-xdist find, a PostgreSQL server each beside the first.

    The feed waits for every transaction of its server: two workers on one would delay each other.
    """
    if is_given("DATABASE_URL"):
        return {"PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}
    urls = {
        f"DATABASE_URL_GW{number}": _database(family, data_dir)
        for number, data_dir in enumerate(data_dirs, start=1)
    }
    return {"PYTEST_XDIST_AUTO_NUM_WORKERS": str(len(urls) + 1), **urls}


def deployed(data_dir: DataDir) -> dict[str, str]:
    """Return an environment as of a deployment, for Django's own check of it."""
    made = dev_secrets.keys(data_dir.path)
    secrets = {name: made[name] for name in ("SECRET_KEY", "CREDENTIALS_KEYS")}
    return bare() | secrets | _DEPLOYED


def bare() -> dict[str, str]:
    """Return what any Python program needs, and nothing it need not know."""
    names = ("PATH", "HOME", "LANG")
    return {name: os.environ[name] for name in names if name in os.environ} | _python()


def is_given(name: str) -> bool:
    """Whether a setting is in our own environment, itself or as a file."""
    return bool(os.environ.get(name, "").strip() or os.environ.get(f"{name}_FILE", "").strip())


def _database(family: Family, data_dir: DataDir) -> str:
    password = dev_secrets.keys(data_dir.path)["POSTGRES_PASSWORD"]
    durable = not data_dir.purpose.startswith("test")
    return postgres.serve(family, data_dir, password=password, durable=durable)


def _absent(values: dict[str, str]) -> dict[str, str]:
    """Leave out what our own environment has."""
    return {name: value for name, value in values.items() if not is_given(name)}


def _python() -> dict[str, str]:
    """Let the checkout's modules be found, and logs be written at once."""
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH", ""))))
    return {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
