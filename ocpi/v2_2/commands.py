"""Commands as OCPI 2.2 has them: a session is started on an EVSE, not on a Connector.

Specification: mod_commands of 2.2.
"""

from ocpi.revisions import restated, revised
from ocpi.v2_2_1 import commands as later

StartSession = revised(later.StartSession, drop=("connector_id",))

MODULE = restated(later.MODULE, StartSession)
