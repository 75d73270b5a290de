"""Objects of every chapter that are right by their tables, as their owners would send them."""

from typing import Any

import pytest

from ocpi import v2_2
from ocpi.types import ModuleID, OcpiModel
from ocpi.v2_2 import commands as commands_of_2_2
from ocpi.v2_2_1 import cdrs, chargingprofiles, commands, hubclientinfo, sessions, tariffs, tokens
from ocpi.validation import validate
from ocpi.versions import VERSIONS
from tests.ocpi.objects import a_cdr, a_cdr_token, a_session, a_tariff, a_token

Json = dict[str, Any]

URL = "https://msa.example/ocpi/responses/4b1f8e32"
MOMENT = "2026-11-21T05:32:00Z"
PRICE = {"excl_vat": 4.0, "incl_vat": 4.4}
TEXT = {"language": "en", "text": "2.00 euro per hour"}
PROFILE = {
    "start_date_time": MOMENT,
    "duration": 3600,
    "charging_rate_unit": "W",
    "min_charging_rate": 8.1,
    "charging_profile_period": [{"start_period": 0, "limit": 11000}],
}
SIGNED = {
    "encoding_method": "OCMF",
    "encoding_method_version": 1,
    "public_key": "MFkwEwYHKoZIzj0CAQYI",
    "signed_values": [
        {"nature": "Start", "plain_data": "12345.678", "signed_data": "MEUCIQ=="},
        {"nature": "End", "plain_data": "12361.020", "signed_data": "MEQCIB=="},
    ],
    "url": "https://cpa.example/verify/C1",
}
RESTRICTIONS = {
    "start_time": "17:00",
    "end_time": "00:00",
    "start_date": "2026-01-01",
    "end_date": "2027-01-01",
    "min_kwh": 20,
    "max_kwh": 50.5,
    "min_current": 5,
    "max_current": 20,
    "min_power": 5,
    "max_power": 20,
    "min_duration": 0,
    "max_duration": 7200,
    "day_of_week": ["SATURDAY", "SUNDAY"],
    "reservation": "RESERVATION_EXPIRES",
}
FULL_TARIFF = a_tariff(
    type="PROFILE_GREEN",
    tariff_alt_text=[TEXT],
    tariff_alt_url="https://cpa.example/tariffs/T1",
    min_price={"excl_vat": 0.5},
    max_price=PRICE,
    elements=[
        {
            "price_components": [
                {"type": "TIME", "price": 2.0, "step_size": 300},
                {"type": "PARKING_TIME", "price": 5, "vat": 0.0, "step_size": 1},
            ],
            "restrictions": RESTRICTIONS,
        },
        {"price_components": [{"type": "FLAT", "price": 0.0, "step_size": 1}]},
    ],
    start_date_time=MOMENT,
    end_date_time="2027-11-21T05:32:00Z",
    energy_mix={"is_green_energy": True, "energy_sources": [{"source": "WIND", "percentage": 100}]},
)
FULL_TOKEN = a_token(
    group_id="DF000-2001-8999",
    default_profile_type="GREEN",
    energy_contract={"supplier_name": "Greenpeace Energy eG", "contract_id": "0123456789"},
)
FULL_SESSION = a_session(
    end_date_time=MOMENT, authorization_reference="A1", meter_id="M1", status="COMPLETED"
)
FULL_CDR = a_cdr(
    authorization_reference="A1",
    meter_id="M1",
    tariffs=[FULL_TARIFF],
    signed_data=SIGNED,
    total_fixed_cost=PRICE,
    total_energy_cost=PRICE,
    total_time_cost=PRICE,
    total_parking_time=0.5,
    total_parking_cost=PRICE,
    total_reservation_cost=PRICE,
    remark="ended by the driver",
    invoice_reference_id="I1",
    credit=False,
    home_charging_compensation=False,
)
REFERENCES = {"location_id": "LOC1", "evse_uids": ["3256"]}
START = {
    "response_url": URL,
    "token": FULL_TOKEN,
    "location_id": "LOC1",
    "evse_uid": "3256",
    "connector_id": "1",
    "authorization_reference": "A1",
}
RESERVE = {
    "response_url": URL,
    "token": a_token(type="APP_USER", whitelist="NEVER"),
    "expiry_date": MOMENT,
    "reservation_id": "R1",
    "location_id": "LOC1",
}
UNLOCK = {"response_url": URL, "location_id": "LOC1", "evse_uid": "3256", "connector_id": "1"}
AUTHORIZED = {
    "allowed": "ALLOWED",
    "token": a_token(),
    "location": REFERENCES,
    "authorization_reference": "A1",
    "info": TEXT,
}
ACTIVE = {"start_date_time": MOMENT, "charging_profile": PROFILE}
CLIENT = {
    "party_id": "MSA",
    "country_code": "DE",
    "role": "EMSP",
    "status": "CONNECTED",
    "last_updated": MOMENT,
}

RIGHT: list[tuple[type[OcpiModel], Json]] = [
    (tariffs.Tariff, FULL_TARIFF),
    (tokens.Token, FULL_TOKEN),
    (tokens.AuthorizationInfo, AUTHORIZED),
    (tokens.AuthorizationInfo, {"allowed": "NO_CREDIT", "token": a_token()}),
    (tokens.LocationReferences, {"location_id": "LOC1"}),
    (sessions.Session, FULL_SESSION),
    (sessions.ChargingPreferences, {"profile_type": "FAST"}),
    (
        sessions.ChargingPreferences,
        {
            "profile_type": "CHEAP",
            "departure_time": MOMENT,
            "energy_need": 30,
            "discharge_allowed": False,
        },
    ),
    (cdrs.CDR, FULL_CDR),
    (v2_2.cdrs.CDR, FULL_CDR),
    (commands.CancelReservation, {"response_url": URL, "reservation_id": "R1"}),
    (commands.ReserveNow, RESERVE),
    (commands.StartSession, START),
    (commands_of_2_2.StartSession, START),
    (commands.StopSession, {"response_url": URL, "session_id": "S1"}),
    (commands.UnlockConnector, UNLOCK),
    (commands.CommandResponse, {"result": "ACCEPTED", "timeout": 30, "message": [TEXT]}),
    (commands.CommandResult, {"result": "EVSE_OCCUPIED"}),
    (chargingprofiles.SetChargingProfile, {"charging_profile": PROFILE, "response_url": URL}),
    (chargingprofiles.ChargingProfileResponse, {"result": "TOO_OFTEN", "timeout": 30}),
    (chargingprofiles.ActiveChargingProfileResult, {"result": "ACCEPTED", "profile": ACTIVE}),
    (chargingprofiles.ActiveChargingProfileResult, {"result": "UNKNOWN"}),
    (chargingprofiles.ChargingProfileResult, {"result": "ACCEPTED"}),
    (chargingprofiles.ClearProfileResult, {"result": "REJECTED"}),
    (hubclientinfo.ClientInfo, CLIENT),
]


@pytest.mark.parametrize("model, value", RIGHT, ids=lambda part: getattr(part, "__name__", ""))
def test_a_right_object_has_no_findings(model: type[OcpiModel], value: Json) -> None:
    """What follows the tables is accepted without a word."""
    assert validate(model, value) == ()


@pytest.mark.parametrize("number", VERSIONS)
@pytest.mark.parametrize(
    "module, value",
    [
        (ModuleID.TARIFFS, a_tariff()),
        (ModuleID.TOKENS, a_token()),
        (ModuleID.SESSIONS, a_session()),
        (ModuleID.CDRS, a_cdr()),
    ],
)
def test_modules_check_by_their_class(number: str, module: ModuleID, value: Json) -> None:
    """The objects of a module are right in the versions of 2.2 and 2.2.1 alike."""
    kind = VERSIONS[number].modules[module].kept

    assert kind is not None
    assert validate(kind.model, value) == ()


@pytest.mark.parametrize("model, value", [("Session", a_session), ("CDR", a_cdr)])
def test_older_tokens_have_no_owner(model: str, value: Any) -> None:
    """In 2.2 a Session or CDR does not say whose its token is."""
    token = a_cdr_token()
    del token["country_code"], token["party_id"]
    chapter = v2_2.sessions if model == "Session" else v2_2.cdrs

    assert validate(getattr(chapter, model), value(cdr_token=token)) == ()
