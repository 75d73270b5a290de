"""Sessions as OCPI 2.2 has them: they do not name the token's owner.

Specification: mod_sessions of 2.2.
"""

from dataclasses import replace

from ocpi.revisions import restated, revised
from ocpi.v2_2.cdrs import CdrToken
from ocpi.v2_2_1 import sessions as later

Session = revised(later.Session, cdr_token=CdrToken)

SESSION = replace(later.SESSION, model=Session)

MODULE = restated(later.MODULE, SESSION)
