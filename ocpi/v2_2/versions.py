"""Version discovery as OCPI 2.2 has it: it does not know 2.2.1 yet.

Specification: version_information_endpoint of 2.2.
"""

from ocpi.revisions import lacking, revised
from ocpi.v2_2_1 import versions as later

VersionNumber = lacking(later.VersionNumber, "2.2.1")
Version = revised(later.Version, version=VersionNumber)
VersionDetails = revised(later.VersionDetails, version=VersionNumber)
