"""Liveness and readiness of a web process, for load balancers, containers and supervisors.

    /healthz    the process answers: 200, whatever becomes of database and broker
    /readyz     it can do its work: 200, or 503 with what fails

Neither is logged or counted, needs a token or a host name, or is anybody's rate: a probe must not
show in the figures, and the hub must not refuse it because strangers are busy.
"""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from http import HTTPStatus

from django.conf import settings

from settings.answers import Answer
from settings.scope import Scope
from settings.security_headers import always

LIVE, READY = b"/healthz", b"/readyz"


def is_probe(scope: Scope) -> bool:
    """Whether a request asks for one of the two."""
    return scope["raw_path"] in (LIVE, READY)


async def answer(scope: Scope, threads: Executor) -> Answer:
    """Answer a probe; readiness is found out in a thread."""
    if scope["method"] not in ("GET", "HEAD"):
        return _answer(HTTPStatus.METHOD_NOT_ALLOWED, {"status": "only GET and HEAD"}, scope)
    if scope["raw_path"] == LIVE:
        return _answer(HTTPStatus.OK, {"status": "ok"}, scope)
    found = await asyncio.get_running_loop().run_in_executor(threads, _checked)
    is_ready = set(found.values()) == {"ok"}
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return _answer(status, {"status": "ok" if is_ready else "not ready", "checks": found}, scope)


def _checked() -> dict[str, str]:
    from database import sql  # noqa: PLC0415 - Django is set up meanwhile
    from database.readiness import readiness  # noqa: PLC0415

    try:
        return readiness.found()
    finally:
        sql.release()


def _answer(status: HTTPStatus, said: Mapping[str, object], scope: Scope) -> Answer:
    content = json.dumps(said).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"GET, HEAD"))
    secure = always(settings.SECURE_HSTS_SECONDS, settings.SECURE_REFERRER_POLICY)
    headers += [(name.lower().encode(), value.encode()) for name, value in secure.items()]
    return Answer(status, headers, b"" if scope["method"] == "HEAD" else content)
