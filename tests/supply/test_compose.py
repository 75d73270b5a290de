"""Each service of compose.yaml has the rights, secrets and networks it needs, and no others."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service.get("image") == "ocpi-hub")
EVERYTHING = {"secret_key", "credentials_keys", "database_url", "redis_url"}
NEEDED = {
    "migrate": {"secret_key", "credentials_keys", "owner_database_url"},
    "web": EVERYTHING,
    "worker-realtime": EVERYTHING,
    "worker-bulk": EVERYTHING,
    "beat": {"redis_url"},
    "postgres": {"postgres_password", "owner_password", "service_password"},
    "valkey": {"valkey.conf"},
}
REACHED = {
    "migrate": {"database"},
    "web": {"outside", "database", "broker"},
    "worker-realtime": {"outside", "database", "broker"},
    "worker-bulk": {"outside", "database", "broker"},
    "beat": {"broker"},
    "postgres": {"database"},
    "valkey": {"broker"},
}
pytestmark = pytest.mark.security("S-27")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of secrets that the script of the repository makes."""
    checkout = tmp_path_factory.mktemp("deployed")
    (checkout / "deploy").mkdir()
    script = checkout / "deploy" / "secrets.sh"
    script.write_bytes((ROOT / "deploy" / "secrets.sh").read_bytes())
    subprocess.run(["/bin/sh", script], check=True, capture_output=True)
    before = {path.name: path.read_text() for path in (checkout / "secrets").iterdir()}
    subprocess.run(["/bin/sh", script], check=True, capture_output=True)
    assert before == {path.name: path.read_text() for path in (checkout / "secrets").iterdir()}
    return checkout / "secrets"


def test_a_service_has_the_secrets_it_needs() -> None:
    """The password of the tables' owner is migrate's alone; beat knows the broker, nothing else."""
    assert {name: set(service["secrets"]) for name, service in SERVICES.items()} == NEEDED


def test_a_service_reaches_the_networks_it_needs() -> None:
    """Database and broker are in networks without a way out; nobody reaches both but who must."""
    assert {name: set(service["networks"]) for name, service in SERVICES.items()} == REACHED
    assert {name for name, each in COMPOSE["networks"].items() if each} == {"database", "broker"}
    assert all(each["internal"] for each in COMPOSE["networks"].values() if each)


def test_only_web_is_reached_from_outside_and_only_by_the_proxy() -> None:
    """One port is published, on loopback, where the proxy that speaks TLS takes it."""
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


@pytest.mark.parametrize("name", OURS)
def test_the_hubs_processes_have_no_rights_on_their_machine(name: str) -> None:
    """They write nowhere but /tmp, have no capability and can get none."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "volumes" not in service


def test_no_secret_stands_in_a_file_of_the_repository(secrets: Path) -> None:
    """Each secret is a file that deploy/secrets.sh makes once, closed to others, ignored by git."""
    named = {name: Path(each["file"]).name for name, each in COMPOSE["secrets"].items()}
    assert set(named) == set().union(*NEEDED.values())
    assert set(named.values()) <= {path.name for path in secrets.iterdir()}
    assert secrets.stat().st_mode & 0o077 == 0
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    for name in named.values():
        assert len((secrets / name).read_text().strip()) >= 32, name
    Fernet((secrets / "credentials_keys").read_text().strip())


def test_the_broker_asks_for_a_password(secrets: Path) -> None:
    """Valkey takes its password from its secret, and the hub's address of it has the same."""
    words = (secrets / "valkey.conf").read_text().split()
    assert words[0] == "requirepass"
    assert f":{words[1]}@valkey" in (secrets / "redis_url").read_text()
    assert "/run/secrets/valkey.conf" in SERVICES["valkey"]["command"]


@pytest.mark.parametrize("name", OURS)
def test_what_logs_people_in_is_webs_alone(name: str) -> None:
    """What .env says of the identity provider reaches no other service, nor do former keys beat."""
    blank = {key for key, value in SERVICES[name]["environment"].items() if not value}
    of_log_ins = {"HUB_OIDC_ISSUER", "HUB_OIDC_CLIENT_SECRET", "HUB_OIDC_ONLY"}
    assert of_log_ins & blank == (set() if name == "web" else of_log_ins)
    assert ("SECRET_KEY_FALLBACKS" in blank) is (name in {"beat", "migrate"})


@pytest.mark.parametrize("name", OURS)
def test_what_env_says_of_a_secret_does_not_count(name: str) -> None:
    """A variable wins over its file: each that has one is set beside it, or blank."""
    given = SERVICES[name]["environment"]
    of_files = {key.removesuffix("_FILE") for key in given if key.endswith("_FILE")}
    assert len(of_files) == 4
    assert of_files <= set(given)


@pytest.mark.parametrize("name", OURS)
def test_a_service_starts_with_the_secrets_it_has(name: str, secrets: Path, tmp_path: Path) -> None:
    """The settings of a deployment are complete with .env.example and the service's own secrets."""
    for secret in SERVICES[name]["secrets"]:
        (tmp_path / secret).write_bytes((secrets / secret).read_bytes())
    given = {key: value for key, value in SERVICES[name]["environment"].items() if value}
    mounted = {key: value.replace("/run/secrets", str(tmp_path)) for key, value in given.items()}
    blank = {key: "" for key, value in SERVICES[name]["environment"].items() if not value}
    program = "from settings import base; print(base.DATABASES['default']['USER'], base.REDIS_URL)"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.defpath, **_example(), **blank, **mounted},
    )
    assert answer.returncode == 0, answer.stderr
    user, broker = answer.stdout.split() if name != "beat" else ("", answer.stdout.strip())
    assert user == {"migrate": "hub_owner", "beat": ""}.get(name, "hub_service")
    assert ("unused.invalid" in broker) is (name == "migrate")


def _example() -> dict[str, str]:
    """Read .env.example as `env_file` does."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    kept = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in kept}
