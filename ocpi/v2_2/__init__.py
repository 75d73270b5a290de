"""OCPI 2.2: what differs from 2.2.1, one file per chapter that does."""

from dataclasses import replace

from ocpi import v2_2_1
from ocpi.modules import modules
from ocpi.v2_2 import cdrs, commands, locations, sessions, versions

VERSION = replace(
    v2_2_1.VERSION,
    number="2.2",
    listed=versions.Version,
    details=versions.VersionDetails,
    modules={
        **v2_2_1.VERSION.modules,
        **modules(locations.MODULE, sessions.MODULE, cdrs.MODULE, commands.MODULE),
    },
)
