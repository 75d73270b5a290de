"""The environments of processes on this machine; a variable that is already set always wins.

A setting is given by its own variable or, as the hub takes it, by a file that `NAME_FILE` names.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import dev_secrets, ports, postgres, valkey
from local.data_dir import CHECKOUT, DataDir
from local.errors import Trouble
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


def with_servers(family: Family, data_dir: DataDir, *, port: int | None = None) -> dict[str, str]:
    """Return the environment of a hub, with both servers; those not given are started.

    `port` is where it listens, if the caller has chosen: HUB_BIND_PORT otherwise, or 8000.
    """
    made = dev_secrets.keys(data_dir.path)
    chosen = port or port_from("HUB_BIND_PORT", 8000)
    host = ports.reached(value_of("HUB_BIND_HOST"))
    defaults = {
        **_HUB,
        "HUB_PUBLIC_URL": f"http://{f'[{host}]' if ':' in host else host}:{chosen}",
        "HUB_BIND_HOST": ports.HOST,
        "SECRET_KEY": made["SECRET_KEY"],
        "CREDENTIALS_KEYS": made["CREDENTIALS_KEYS"],
    }
    environment = {**os.environ, **_absent(defaults), **python(), "HUB_BIND_PORT": str(chosen)}
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
        return _absent({"PYTEST_XDIST_AUTO_NUM_WORKERS": "1"})
    names = (f"DATABASE_URL_GW{number}" for number, _ in enumerate(data_dirs, start=1))
    urls = {
        name: _database(family, data_dir)
        for name, data_dir in zip(names, data_dirs, strict=True)
        if not is_given(name)
    }
    return {**_absent({"PYTEST_XDIST_AUTO_NUM_WORKERS": str(len(data_dirs) + 1)}), **urls}


def deployed(data_dir: DataDir) -> dict[str, str]:
    """Return an environment as of a deployment, for Django's own check of it."""
    made = dev_secrets.keys(data_dir.path)
    secrets = {name: made[name] for name in ("SECRET_KEY", "CREDENTIALS_KEYS")}
    return bare() | secrets | _DEPLOYED


def bare() -> dict[str, str]:
    """Return what any Python program needs, and nothing it need not know."""
    names = ("PATH", "HOME", "LANG")
    return {name: os.environ[name] for name in names if name in os.environ} | python()


def is_given(name: str) -> bool:
    """Whether a setting is in our own environment, itself or as a file."""
    return bool(os.environ.get(name, "").strip() or os.environ.get(f"{name}_FILE", "").strip())


def value_of(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a setting as the hub will read it: itself, else from its file; empty if not given."""
    value, file = (environment.get(each, "").strip() for each in (name, f"{name}_FILE"))
    if value or not file:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Trouble(f"{name}_FILE names a file that cannot be read: {error.strerror}") from None


def port_from(variable: str, default: int) -> int:
    """Return the port that a setting names."""
    text = value_of(variable) or str(default)
    if not text.isdigit():
        raise Trouble(f"{variable}={text} is no port: write a number from 1 to 65535")
    return int(text)


def _database(family: Family, data_dir: DataDir) -> str:
    password = dev_secrets.keys(data_dir.path)["POSTGRES_PASSWORD"]
    durable = not data_dir.purpose.startswith("test")
    return postgres.serve(family, data_dir, password=password, durable=durable)


def _absent(values: dict[str, str]) -> dict[str, str]:
    """Leave out what our own environment has."""
    return {name: value for name, value in values.items() if not is_given(name)}


def python() -> dict[str, str]:
    """Let the checkout's modules be found, and logs be written at once."""
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH", ""))))
    return {"PYTHONPATH": path, "PYTHONUNBUFFERED": os.environ.get("PYTHONUNBUFFERED") or "1"}
