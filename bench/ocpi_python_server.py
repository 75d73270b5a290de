# mypy: ignore-errors
"""`python -P ocpi_python_server.py PORT TOKEN`: ocpi-python with its objects in memory.

Run in an environment of its own, where `ocpi` is that library and not this project's. It is set up
as its example of a CPO is, with both roles, so that what is PUT can be listed.
"""

import sys

import uvicorn

from ocpi import get_application
from ocpi.core.authentication.authenticator import Authenticator
from ocpi.core.config import logger
from ocpi.core.crud import Crud
from ocpi.core.enums import ModuleID, RoleEnum
from ocpi.modules.versions.enums import VersionNumber

PORT, TOKEN = sys.argv[1:]


class OneToken(Authenticator):
    """Knows one token."""

    @classmethod
    async def get_valid_token_c(cls):
        return [TOKEN]

    @classmethod
    async def get_valid_token_a(cls):
        return []


class InMemory(Crud):
    """Keeps objects in a dictionary for each module, in the order they came."""

    kept = {}

    @classmethod
    async def get(cls, module, role, id, *args, **kwargs):
        return cls.kept.get(module, {}).get(id)

    @classmethod
    async def list(cls, module, role, filters, *args, **kwargs):
        found = list(cls.kept.get(module, {}).values())
        end = filters["offset"] + filters["limit"]
        return found[filters["offset"] : end], len(found), end >= len(found)

    @classmethod
    async def create(cls, module, role, data, *args, **kwargs):
        name = data.get("uid") or data["id"]
        cls.kept.setdefault(module, {})[name] = data
        return data

    @classmethod
    async def update(cls, module, role, data, id, *args, **kwargs):
        cls.kept[module][id] = data
        return data


logger.setLevel("WARNING")
application = get_application(
    version_numbers=[VersionNumber.v_2_2_1],
    roles=[RoleEnum.cpo, RoleEnum.emsp],
    modules=[ModuleID.locations, ModuleID.tokens],
    authenticator=OneToken,
    crud=InMemory,
)
uvicorn.run(application, port=int(PORT), log_level="error", access_log=False)
