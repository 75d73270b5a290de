"""The limit of accepting: pgbench runs the hub's own statement, prepared, with 8 clients."""

import os
import re
import subprocess
import tempfile
from urllib.parse import urlsplit

from bench.environment import Testbed, changes
from bench.objects import NUMBER, Template
from bench.write_requests import write_request
from local import postgres_binaries

WHAT = "pgbench, same statement"
SECONDS = 2
_DIGEST = "%(digest)s"
_RANDOM_DIGEST = "decode(md5(random()::text), 'hex')"


def rate(testbed: Testbed, template: Template, numbers: int) -> float:
    """Return statements a second, each about one of so many objects; each has to be fed."""
    before = changes(testbed)
    output = _run(testbed, _script(template, numbers))
    done = re.search(r"actually processed: (\d+)", output)
    found = re.search(r"tps = ([0-9.]+) \(without initial", output)
    fed = changes(testbed) - before
    if not done or not found or int(done[1]) != fed:
        raise RuntimeError(f"{fed} changes are in the feed after pgbench said: {output}")
    return float(found[1])


def _run(testbed: Testbed, script: str) -> str:
    target = urlsplit(testbed.database_url)
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        options = ("-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", str(SECONDS))
        done = subprocess.run(
            [
                postgres_binaries.find().directory / "pgbench",
                *options,
                "-f",
                file.name,
                target.path[1:],
            ],
            env={
                **os.environ,
                "PGHOST": target.hostname or "",
                "PGPORT": str(target.port),
                "PGUSER": target.username or "",
                "PGPASSWORD": target.password or "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout if not done.returncode else done.stderr[-1_000:]


def _script(template: Template, numbers: int) -> str:
    """Write the hub's statement with the values of a real message, its number a random one."""
    from hub.module_policy import POLICIES  # noqa: PLC0415 - Django is set up by now
    from hub.store import merge, writes  # noqa: PLC0415
    from hub.store.sql.writes import statements  # noqa: PLC0415

    message = write_request(
        template.module,
        template.method,
        template.owner,
        template.object_id,
        path=template.path,
        body=template.body,
        recipient=template.recipient,
    )
    chosen = statements(POLICIES[template.module], is_fed=True)
    text = chosen.post if template.method == "POST" else chosen.put
    text = text.replace(_DIGEST, _RANDOM_DIGEST)
    for name, value in writes.parameters(message, merge.replacement(message)).items():
        text = text.replace(f"%({name})s", _literal(value))
    return f"\\set id random(1, {numbers})\n{' '.join(text.split())};\n"


def _literal(value: object) -> str:
    """Write a value as SQL; pgbench takes a colon for a variable, wherever it stands."""
    if value is None or isinstance(value, bool | int | float):
        return "NULL" if value is None else str(value)
    if isinstance(value, bytes):
        return f"decode('{value.hex()}', 'hex')"
    quoted = str(value).replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    pieces = [f"E'{piece}'" for piece in quoted.split(NUMBER)]
    return f"({' || :id || '.join(pieces)})"
