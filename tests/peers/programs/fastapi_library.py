# mypy: ignore-errors
"""`python -P fastapi_library.py PACKAGE ROLE PORT TOKEN`: a library on FastAPI as one platform.

Run in an environment of its own, where the library is, by the names of its settings: OCPI_HOST,
PROTOCOL, COUNTRY_CODE, PARTY_ID. Three libraries have one root and these interfaces in common. It
keeps what it gets in memory, answers every order with ACCEPTED, and shows the laboratory at
`/laboratory` what it has; `PUT /laboratory/own/MODULE` gives it an object of its own, and
`POST /laboratory/register` lets it register with the hub.
"""

import importlib
import inspect
import json
import os
import re
import sys
import uuid
from base64 import b64encode
from types import SimpleNamespace

import httpx
import uvicorn
from fastapi import Request

PACKAGE, ROLE, PORT, TOKEN_A = sys.argv[1:]
HOST = os.environ["OCPI_HOST"]


def of_library(path, name):
    return getattr(importlib.import_module(f"{PACKAGE}.{path}"), name)


get_application = importlib.import_module(PACKAGE).get_application
Crud = of_library("core.crud", "Crud")
ModuleID, RoleEnum = of_library("core.enums", "ModuleID"), of_library("core.enums", "RoleEnum")
VersionNumber = of_library("modules.versions.enums", "VersionNumber")

valid = SimpleNamespace(a=[TOKEN_A], c=[])
hub = SimpleNamespace(token="")
kept = {}


def credentials(token):
    return {
        "token": token,
        "url": f"http://{HOST}/ocpi/versions",
        "roles": [
            {
                "role": ROLE,
                "country_code": os.environ["COUNTRY_CODE"],
                "party_id": os.environ["PARTY_ID"],
                "business_details": {"name": "Laboratory", "website": None, "logo": None},
            }
        ],
    }


class Memory(Crud):
    """Keeps everything in one dictionary for each module."""

    @classmethod
    async def get(cls, module, role, id, *args, **kwargs):
        match module.value:
            case "credentials":
                return credentials(valid.c[-1])
            case "commands":
                return {"result": "ACCEPTED", "message": []}
        return kept.get(module.value, {}).get(str(id).upper())

    @classmethod
    async def list(cls, module, role, filters, *args, **kwargs):
        found = [*kept.get(module.value, {}).values()]
        end = filters["offset"] + filters["limit"]
        return found[filters["offset"] : end], len(found), end >= len(found)

    @classmethod
    async def create(cls, module, role, data, *args, **kwargs):
        if module.value == "credentials":
            given = plain(data)
            hub.token = given.get("credentials", given)["token"]
            valid.c.append(uuid.uuid4().hex)
            valid.a.clear()
            return credentials(valid.c[-1])
        return keep(module.value, plain(data))

    @classmethod
    async def update(cls, module, role, data, id, *args, **kwargs):
        if module.value == "credentials":
            return await cls.create(module, role, data)
        return keep(
            module.value, {**kept.get(module.value, {}).get(str(id).upper(), {}), **plain(data)}
        )

    @classmethod
    async def delete(cls, module, role, id, *args, **kwargs):
        kept.get(module.value, {}).pop(str(id).upper(), None)

    @classmethod
    async def do(cls, module, role, action, *args, data=None, **kwargs):
        match action.value:
            case "GetClientToken":
                return hub.token
            case "AuthorizeToken":
                token = next(iter(kept["tokens"].values()))
                return {"allowed": "ALLOWED", "token": token, "location": None, "info": None,
                        "authorization_reference": "A1"}  # fmt: skip
        return {"result": "ACCEPTED", "timeout": 30, "message": []}


def plain(data):
    return data if isinstance(data, dict) else json.loads(data.json())


def keep(module, data):
    # Ids are CiStrings, which some libraries turn into lower case.
    kept.setdefault(module, {})[str(data.get("uid") or data.get("id")).upper()] = data
    return data


def adapter():
    """Return the library's own adapter, or one that builds its class for each kind of object."""
    module = importlib.import_module(f"{PACKAGE}.core.adapter")
    own = getattr(module, "BaseAdapter", None)
    if own is not None:
        return own
    return type("Adapter", (module.Adapter,), {
        f"{name}_adapter": classmethod(building(where, cls)) for name, where, cls in _CLASSES
    })  # fmt: skip


_CLASSES = [
    ("location", "locations", "Location"),
    ("session", "sessions", "Session"),
    ("charging_preference", "sessions", "ChargingPreferences"),
    ("credentials", "credentials", "Credentials"),
    ("cdr", "cdrs", "Cdr"),
    ("tariff", "tariffs", "Tariff"),
    ("command_response", "commands", "CommandResponse"),
    ("commands", "commands", "CommandResponse"),
    ("command_result", "commands", "CommandResult"),
    ("token", "tokens", "Token"),
    ("authorization", "tokens", "AuthorizationInfo"),
]


def building(where, name):
    def build(cls, data, *_):
        return of_library(f"modules.{where}.v_2_2_1.schemas", name)(**data)

    return build


def authenticator():
    """Return the class that knows the tokens, where the library asks for one."""
    try:
        base = of_library("core.authentication.authenticator", "Authenticator")
    except ImportError:
        return None

    class Tokens(base):
        """Knows the tokens that were given out."""

        @classmethod
        async def get_valid_token_c(cls):
            return valid.c

        @classmethod
        async def get_valid_token_a(cls):
            return valid.a

    return Tokens


def application():
    wanted = inspect.signature(get_application).parameters
    modules = ["credentials_and_registration", "locations", "tariffs", "tokens", "sessions",
               "cdrs", "commands"]  # fmt: skip
    given = {
        "version_numbers": [VersionNumber.v_2_2_1],
        "roles": [RoleEnum[ROLE.lower()]],
        "crud": Memory,
        "adapter": adapter(),
        "modules": [ModuleID[name] for name in modules],
        "authenticator": authenticator(),
        "http_push": True,
    }
    return get_application(**{name: each for name, each in given.items() if name in wanted})


async def registered(versions_url, token):
    """Register with the hub: no library has a client for it, each leaves this to who uses it."""
    headers = {"Authorization": f"Token {b64encode(token.encode()).decode()}"}
    valid.c.append(uuid.uuid4().hex)
    async with httpx.AsyncClient(headers=headers) as client:
        versions = (await client.get(versions_url)).json()["data"]
        details = next(each["url"] for each in versions if each["version"] == "2.2.1")
        endpoints = (await client.get(details)).json()["data"]["endpoints"]
        url = next(each["url"] for each in endpoints if each["identifier"] == "credentials")
        answer = (await client.post(url, json=credentials(valid.c[-1]))).json()
    hub.token = answer["data"]["token"] if answer["status_code"] == 1000 else ""
    return answer


def with_laboratory(app):
    @app.get("/laboratory")
    async def shown():
        return {"kept": kept, "token_c": valid.c[-1:], "hub_token": hub.token}

    @app.post("/laboratory/register")
    async def register(request: Request):
        given = await request.json()
        return await registered(given["versions_url"], given["token"])

    @app.put("/laboratory/own/{module}")
    async def own(module: str, request: Request):
        keep(module, await request.json())
        return {}

    return app


class PlainHttp:
    """What a proxy that ends TLS is for outside: a library that always says https is right then."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        parts, started = [], []

        async def held(message):
            if message["type"] == "http.response.start":
                started.append(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = re.sub(rf"https://{re.escape(HOST)}".encode(),
                              f"http://{HOST}".encode(), b"".join(parts))  # fmt: skip
                headers = [
                    (name, value.replace(f"https://{HOST}".encode(), f"http://{HOST}".encode()))
                    for name, value in started[0]["headers"]
                    if name.lower() != b"content-length"
                ]
                headers.append((b"content-length", str(len(body)).encode()))
                await send({**started[0], "headers": headers})
                await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, held)


if __name__ == "__main__":
    uvicorn.run(PlainHttp(with_laboratory(application())), port=int(PORT), log_level="info")
