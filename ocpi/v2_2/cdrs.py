"""CDRs as OCPI 2.2 has them: they do not name the token's owner, signed data is short.

Specification: mod_cdrs of 2.2.
"""

from dataclasses import replace
from typing import Annotated

from annotated_types import MinLen

from ocpi.formats import NUMERIC
from ocpi.revisions import restated, revised
from ocpi.types import CiString, Length, String
from ocpi.v2_2.locations import ConnectorType, PowerType
from ocpi.v2_2_1 import cdrs as later

_Signed = Annotated[CiString, Length(512)]

CdrLocation = revised(
    later.CdrLocation,
    drop=("state",),
    postal_code=Annotated[String, Length(10), NUMERIC],
    connector_standard=ConnectorType,
    connector_power_type=PowerType,
)
CdrToken = revised(later.CdrToken, drop=("country_code", "party_id"))
SignedValue = revised(later.SignedValue, plain_data=_Signed, signed_data=_Signed)
SignedData = revised(
    later.SignedData,
    public_key=_Signed | None,
    signed_values=Annotated[list[SignedValue], MinLen(1)],  # type: ignore[valid-type]
    url=_Signed | None,
)
CDR = revised(
    later.CDR,
    drop=("home_charging_compensation",),
    cdr_token=CdrToken,
    cdr_location=CdrLocation,
    signed_data=SignedData | None,
)

CDR_OBJECT = replace(later.CDR_OBJECT, model=CDR)

MODULE = restated(later.MODULE, CDR_OBJECT)
