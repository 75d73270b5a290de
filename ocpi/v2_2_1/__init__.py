"""OCPI 2.2.1: one file per chapter of the specification."""

from ocpi.modules import Version, modules
from ocpi.v2_2_1 import (
    cdrs,
    chargingprofiles,
    commands,
    credentials,
    hubclientinfo,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)

VERSION = Version(
    number="2.2.1",
    listed=versions.Version,
    details=versions.VersionDetails,
    modules=modules(
        credentials.MODULE,
        tariffs.MODULE,
        locations.MODULE,
        tokens.MODULE,
        sessions.MODULE,
        cdrs.MODULE,
        commands.MODULE,
        chargingprofiles.MODULE,
        hubclientinfo.MODULE,
    ),
)
