"""The versions a platform speaks and the endpoints it offers in each.

Specification: version_information_endpoint. A Configuration Module without an identifier: it is
where discovery begins, so version details never list it and there is no MODULE to declare.
"""

from typing import Annotated

from annotated_types import MinLen

from ocpi.types import URL, InterfaceRole, OcpiEnum, OcpiModel


class ModuleID(OcpiEnum):
    """The modules this version has."""

    CDRS = "cdrs"
    CHARGINGPROFILES = "chargingprofiles"
    COMMANDS = "commands"
    CREDENTIALS = "credentials"
    HUBCLIENTINFO = "hubclientinfo"
    LOCATIONS = "locations"
    SESSIONS = "sessions"
    TARIFFS = "tariffs"
    TOKENS = "tokens"


class VersionNumber(OcpiEnum):
    """The versions of OCPI known to this one."""

    V2_0 = "2.0"
    V2_1 = "2.1"
    V2_1_1 = "2.1.1"
    V2_2 = "2.2"
    V2_2_1 = "2.2.1"


class Version(OcpiModel):
    """A version a platform supports and where its details are found."""

    version: VersionNumber
    url: URL


class Endpoint(OcpiModel):
    """One interface of one module and where it is found."""

    identifier: ModuleID
    role: InterfaceRole
    url: URL


class VersionDetails(OcpiModel):
    """All endpoints a platform offers in one version."""

    version: VersionNumber
    endpoints: Annotated[list[Endpoint], MinLen(1)]
