"""OCPI 2.2.1: one file per chapter of the specification."""

from ocpi.modules import Version, modules
from ocpi.v2_2_1 import credentials, locations

VERSION = Version(number="2.2.1", modules=modules(credentials.MODULE, locations.MODULE))
