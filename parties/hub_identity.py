"""The hub's own identity: versions, version details and its credentials object.

Spec: 2.2.1 versions; credentials, Credentials object (a hub reports itself only, as role HUB).
All URLs are derived from the declarations of `ocpi.versions` and from `HUB_PUBLIC_URL`.
"""

from collections.abc import Collection, Iterator

import msgspec
from django.conf import settings

from ocpi.errors import UnsupportedVersion
from ocpi.modules import Module
from ocpi.types import InterfaceRole, ModuleID, PartyRef, Role
from ocpi.versions import VERSIONS, Version
from parties.quirks import Quirks
from parties.role_pairs import calls

_NONE = Quirks()


def hub_party() -> PartyRef:
    """Return the hub's own party."""
    return PartyRef(settings.HUB_COUNTRY_CODE, settings.HUB_PARTY_ID)


def versions_url() -> str:
    """Return the URL a new platform is given together with its token A."""
    return f"{settings.HUB_PUBLIC_URL}/ocpi/versions"


def served_version(number: str) -> Version:
    """Return a version the hub offers; HTTP 404 and 3002 for any other."""
    try:
        return VERSIONS[number]
    except KeyError:
        message = f"the hub does not offer this version; it offers {', '.join(VERSIONS)}"
        raise UnsupportedVersion(message, http_status=404) from None


def served_modules(
    version: Version, *, to_hub: bool = False
) -> Iterator[tuple[ModuleID, InterfaceRole]]:
    """List the interfaces the hub serves in a version, as its details announce them.

    Client info has a RECEIVER only `to_hub`: a hub sends it to all, and takes it from hubs alone.
    """
    for module in version.modules.values():
        for role in module.interfaces:
            if module.functional or to_hub or role is InterfaceRole.SENDER:
                yield module.identifier, role


def details_url(version: Version) -> str:
    """Return the URL of a version's details."""
    return f"{settings.HUB_PUBLIC_URL}/ocpi/{version.number}"


def endpoint_url(version: Version, module: ModuleID, role: InterfaceRole) -> str:
    """Return the URL of one of the hub's endpoints."""
    base = details_url(version)
    return (
        f"{base}/{module}" if module == ModuleID.CREDENTIALS else f"{base}/{role.lower()}/{module}"
    )


def versions() -> bytes:
    """Render the list of versions."""
    return msgspec.json.encode(
        [{"version": each.number, "url": details_url(each)} for each in VERSIONS.values()]
    )


def version_details(
    version: Version, *, roles: Collection[Role] = (), quirks: Quirks = _NONE
) -> bytes:
    """Render the endpoints of a version, as a platform with these roles and quirks sees them."""
    endpoints = [
        {
            "identifier": str(module),
            "role": _told_role(module, role, quirks),
            "url": endpoint_url(version, module, role),
        }
        for module, role in served_modules(version, to_hub=Role.HUB in roles)
        if _is_told(version.modules[module], role, roles, quirks)
    ]
    return msgspec.json.encode({"version": version.number, "endpoints": endpoints})


def _is_told(module: Module, side: InterfaceRole, roles: Collection[Role], quirks: Quirks) -> bool:
    """Whether a platform is told of an interface: by role only where one of its roles calls it."""
    if quirks.details != "by-role" or not roles or not module.functional:
        return True
    return any(calls(role, module.identifier, side) for role in roles)


def _told_role(module: ModuleID, side: InterfaceRole, quirks: Quirks) -> str:
    """Return the role beside an endpoint; that of credentials is the same for all, so no role."""
    return quirks.credentials_role.upper() if module == ModuleID.CREDENTIALS else str(side)


def credentials(token: str) -> bytes:
    """Render the hub's credentials around the token its reader is to use.

    `website` and `logo` are optional, but some platforms refuse credentials without them.
    """
    details = {
        "name": settings.HUB_NAME,
        "website": settings.HUB_WEBSITE,
        "logo": {"url": settings.HUB_LOGO_URL, "category": "OPERATOR", "type": _image_type()},
    }
    role = {
        "role": str(Role.HUB),
        "business_details": details,
        "party_id": settings.HUB_PARTY_ID,
        "country_code": settings.HUB_COUNTRY_CODE,
    }
    return msgspec.json.encode({"token": token, "url": versions_url(), "roles": [role]})


def _image_type() -> str:
    """Return the ImageFileType of the logo by the end of its URL; CiString(4)."""
    ending: str = settings.HUB_LOGO_URL.rpartition(".")[2].lower()
    return ending if ending in {"jpeg", "jpg", "gif", "png", "svg"} else "png"
