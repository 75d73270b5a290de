"""The limit of accepting: pgbench runs the hub's own statement, prepared, with 8 clients."""

import os
import re
import subprocess
import tempfile
from urllib.parse import urlsplit

import msgspec

from bench.environment import Testbed, changes
from bench.objects import NUMBER, Template
from bench.write_requests import write_request
from local import postgres_binaries

WHAT = "pgbench, same statement"
SECONDS = 2
_DIGEST = "decode(i.digest, 'base64')"
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
    """Write the hub's statements with the values of a real message, its number a random one.

    Its lock and the write are one transaction and one round trip, as they are in the hub.
    """
    from hub.module_policy import POLICIES  # noqa: PLC0415 - Django is set up by now
    from hub.store import merge  # noqa: PLC0415
    from hub.store.items import written_item  # noqa: PLC0415
    from hub.store.sql.writes import LOCK, statements  # noqa: PLC0415

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
    planned = merge.draft(message)
    lists = {
        LOCK: [planned.lock],
        text.replace(_DIGEST, _RANDOM_DIGEST): [
            written_item(0, planned, merge.replacement(message))
        ],
    }
    lines = [
        " ".join(sql.replace("$1", _literal(msgspec.json.encode(items).decode())).split())
        for sql, items in lists.items()
    ]
    script = "".join(f"{line};\n" for line in lines)
    return f"\\set id random(1, {numbers})\n\\startpipeline\n{script}\\endpipeline\n"


def _literal(text: str) -> str:
    """Write a text as SQL; pgbench takes a colon for a variable, wherever it stands."""
    quoted = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    pieces = [f"E'{piece}'" for piece in quoted.split(NUMBER)]
    return f"({' || :id || '.join(pieces)})"
