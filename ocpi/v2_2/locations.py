"""Locations as OCPI 2.2 has them: shorter addresses, fewer kinds of plugs, power and abilities.

Specification: mod_locations of 2.2.
"""

from dataclasses import replace
from typing import Annotated

from annotated_types import MinLen

from ocpi.modules import Part
from ocpi.revisions import lacking, restated, revised
from ocpi.types import Length, String
from ocpi.v2_2_1 import location_types
from ocpi.v2_2_1 import locations as later

Capability = lacking(location_types.Capability, "START_SESSION_CONNECTOR_REQUIRED")
ConnectorType = lacking(
    location_types.ConnectorType,
    "CHAOJI",
    "DOMESTIC_M",
    "DOMESTIC_N",
    "DOMESTIC_O",
    "GBT_AC",
    "GBT_DC",
    "NEMA_5_20",
    "NEMA_6_30",
    "NEMA_6_50",
    "NEMA_10_30",
    "NEMA_10_50",
    "NEMA_14_30",
    "NEMA_14_50",
)
PowerType = lacking(location_types.PowerType, "AC_2_PHASE", "AC_2_PHASE_SPLIT")

Connector = revised(later.Connector, standard=ConnectorType, power_type=PowerType)
EVSE = revised(
    later.EVSE,
    capabilities=list[Capability] | None,  # type: ignore[valid-type]
    connectors=Annotated[list[Connector], MinLen(1)],  # type: ignore[valid-type]
)
Location = revised(
    later.Location,
    address=Annotated[String, Length(45)],
    state=Annotated[String, Length(20)] | None,
    evses=list[EVSE] | None,  # type: ignore[valid-type]
)

CONNECTOR = replace(later.CONNECTOR, model=Connector)
EVSE_OF_LOCATION = replace(later.EVSE_OF_LOCATION, model=EVSE, part=Part("connectors", CONNECTOR))
LOCATION = replace(later.LOCATION, model=Location, part=Part("evses", EVSE_OF_LOCATION))

MODULE = restated(later.MODULE, LOCATION)
