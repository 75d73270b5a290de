"""An operator at the console of a living hub: logged in, with every page that a link leads to."""

import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

import requests as http

from tests.e2e.hub_processes import CHECKOUT, Hub
from tests.hostile.requests import Console

_PASSWORD = "correct horse battery staple"
_HREF = re.compile(r'href="(/admin/[^"#]*)"')
_LEFT_ALONE = ("logout", "suspend", "forget", "reset", "revoke", "delete", "matrix")
"""What would end the session, or who takes part."""
_FORMS = ("/add/", "import", "onboard", "explain")
_MOST_PAGES = 150


def manage(hub: Hub, *words: str, **more: str) -> str:
    """Run a command of `manage.py` and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        check=True,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, **hub.environment, **more},
    )
    return done.stdout


def console(hub: Hub) -> Console:
    """Create an operator, log in, and follow the console's links."""
    who = {"USERNAME": "op", "EMAIL": "op@example.com", "PASSWORD": _PASSWORD}
    given = {f"DJANGO_SUPERUSER_{name}": value for name, value in who.items()}
    manage(hub, "createsuperuser", "--noinput", **given)
    with http.Session() as session:
        session.get(f"{hub.url}/admin/login/", timeout=10).raise_for_status()
        form = {"username": "op", "password": _PASSWORD, "next": "/admin/"}
        token = str(session.cookies["csrftoken"])
        answer = session.post(
            f"{hub.url}/admin/login/", {**form, "csrfmiddlewaretoken": token}, timeout=10
        )
        assert answer.url.rstrip("/").endswith("/admin"), f"no way in: {answer.url}"
        pages = _crawled(session, hub.url)
        cookies = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
        csrf = str(session.cookies["csrftoken"])
    forms = tuple(page for page in pages if any(word in page for word in _FORMS))
    return Console(urlsplit(hub.url).netloc, cookies, csrf, tuple(pages), forms)


def _crawled(session: http.Session, url: str) -> list[str]:
    """Return every page that links lead to, in the order in which they were met."""
    found, waiting = ["/admin/"], ["/admin/"]
    while waiting and len(found) < _MOST_PAGES:
        answer = session.get(url + waiting.pop(0), timeout=30)
        for page in _HREF.findall(answer.text):
            path = page.partition("?")[0]
            if path not in found and not any(word in path for word in _LEFT_ALONE):
                found.append(path)
                waiting.append(path)
    return found
