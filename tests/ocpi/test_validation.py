"""What is refused and what is only reported."""

import pytest

from ocpi.errors import Finding, InvalidParameters, NotJson
from ocpi.types import ModuleID, PartyRef
from ocpi.v2_2_1.cdrs import CdrDimension
from ocpi.v2_2_1.credentials import Credentials
from ocpi.v2_2_1.location_types import GeoLocation, Hours, Image
from ocpi.v2_2_1.locations import Location
from ocpi.v2_2_1.versions import VersionDetails
from ocpi.validation import decode, decode_object, validate
from ocpi.versions import VERSIONS
from tests.ocpi.objects import connector, evse, location


def refused(value: object) -> list[str]:
    """Validate a Location that has to be refused and give the reasons."""
    with pytest.raises(InvalidParameters) as wrong:
        validate(Location, value)
    return [str(finding) for finding in wrong.value.findings]


def reported(value: object) -> list[str]:
    """Validate a Location that has to be kept and give what is reported."""
    return [str(finding) for finding in validate(Location, value)]


def test_a_right_location_has_no_findings() -> None:
    """What follows the tables is accepted without a word."""
    assert reported(location()) == []


def test_every_wrong_field_is_named_by_its_path() -> None:
    """One answer names everything that has to be mended."""
    broken = location(
        coordinates=None,
        publish="true",
        country_code="NLD",
        evses=[
            evse(connectors=[connector(), connector(max_voltage="high")]),
            evse(uid="", connectors=[], last_updated="2026-02-30T00:00:00Z"),
            "EVSE",
        ],
    )
    del broken["city"]

    assert refused(broken) == [
        "country_code: must be exactly 2 printable ASCII characters without space",
        "publish: must be a boolean, not a string",
        "city: required",
        "coordinates: required",
        "evses[0].connectors[1].max_voltage: must be an integer, not a string",
        "evses[1].uid: must not be empty",
        "evses[1].connectors: must not be empty",
        "evses[1].last_updated: must be a timestamp like 2026-11-21T05:32:00Z",
        "evses[2]: must be an object, not a string",
    ]


def test_the_message_of_a_refusal_is_its_findings() -> None:
    """A sender reads in the status message what is wrong."""
    with pytest.raises(InvalidParameters, match=r"^coordinates: required$"):
        validate(Location, location(coordinates=None))


def test_a_refusal_repeats_only_so_much() -> None:
    """Neither a quoted value nor the whole message grows with what a peer sends."""
    long = "x" * 5000
    with pytest.raises(ValueError, match="is not a party") as wrong:
        PartyRef.parse(long)
    assert len(str(wrong.value)) < 120
    assert len(str(InvalidParameters(long))) == 2000
    findings = [Finding(f"path[{number}]", long) for number in range(3)]
    assert len(str(InvalidParameters(findings=findings))) == 2000


def test_only_reasons_are_told_in_a_refusal() -> None:
    """What would have been tolerated is no reason to refuse."""
    assert refused(location(coordinates=None, facilities=["ZOO"])) == ["coordinates: required"]


def test_tolerated_defects_are_all_reported() -> None:
    """Over-long strings, unknown enum values and quoted numbers are kept and reported."""
    odd = location(
        id="LOC-é",
        address="x" * 1020,
        facilities=["ZOO", "HOTEL"],
        evses=[evse(connectors=[connector(max_voltage="230", max_amperage=16.0)])],
    )

    assert reported(odd) == [
        "id: contains characters that are not printable ASCII",
        "address: longer than 255 characters",
        "evses[0].connectors[0].max_voltage: must be an integer, not a string like '230'",
        "evses[0].connectors[0].max_amperage: must be an integer, not a number like 16.0",
        "facilities[0]: 'ZOO' is not a known Facility",
    ]


@pytest.mark.conformance("DT-05")
def test_enum_values_are_case_sensitive() -> None:
    """A capability in the wrong case is an unknown value, not a known one."""
    assert reported(location(evses=[evse(capabilities=["reservable"])])) == [
        "evses[0].capabilities[0]: 'reservable' is not a known Capability"
    ]


@pytest.mark.parametrize("nothing", [None, [], ...])
@pytest.mark.parametrize("field", ["facilities", "evses", "images", "directions"])
def test_null_missing_and_empty_lists_are_the_same(field: str, nothing: object) -> None:
    """An optional list may be null, empty or left out."""
    value = location() | {field: nothing}
    if nothing is ...:
        del value[field]

    assert reported(value) == []


@pytest.mark.parametrize("field", ["name", "state", "parking_type", "opening_times", "operator"])
def test_optional_fields_may_be_null(field: str) -> None:
    """Null means the same as leaving the field out."""
    assert reported(location() | {field: None}) == []


def test_required_lists_are_never_empty() -> None:
    """A list of cardinality + has at least one element, and null is none."""
    assert refused(location(evses=[evse(connectors=[])])) == [
        "evses[0].connectors: must not be empty"
    ]
    assert refused(location(evses=[evse(connectors=None)])) == ["evses[0].connectors: required"]


def test_unknown_fields_are_ignored() -> None:
    """Fields that are not in the table are nobody's business here."""
    assert reported(location(x_y={"a": [1, None]})) == []


@pytest.mark.conformance("DT-11")
@pytest.mark.parametrize("latitude", ["51.04760", "51.047600", "51.0475990", "-5.04760"])
def test_coordinates_have_five_to_seven_decimals(latitude: str) -> None:
    """Coordinates are strings of any of the permitted precisions."""
    assert validate(GeoLocation, {"latitude": latitude, "longitude": "-126.104965"}) == ()


@pytest.mark.parametrize(
    "field, value, reason",
    [
        ("name", 5, "must be a string, not a number"),
        ("name", "a\0b", "must not contain the character NUL"),
        ("name", "x" * 1021, "far longer than 255 characters"),
        ("id", "a\nb", "must not contain control characters"),
        ("id", "a\0b", "must not contain control characters"),
        ("id", "x" * 256, "far longer than 36 characters"),
        ("id", "x" * 145 + "\0", "must not contain control characters"),
        ("id", "", "must not be empty"),
        ("id", 1, "must be a string, not a number"),
        ("party_id", "CPAX", "must be exactly 3 printable ASCII characters without space"),
        ("party_id", "C A", "must be exactly 3 printable ASCII characters without space"),
        ("party_id", None, "required"),
        ("parking_type", "", "must have 1 to 255 characters"),
        ("parking_type", "x" * 256, "must have 1 to 255 characters"),
        ("parking_type", "A\0", "must not contain control characters"),
        ("parking_type", 7, "must be a string, not a number"),
        ("parking_type", {}, "must be a string, not an object"),
        ("last_updated", 1467232749, "must be a string, not a number"),
        ("last_updated", "1467232749", "must be a timestamp like 2026-11-21T05:32:00Z"),
        ("publish", None, "required"),
        ("publish", 1, "must be a boolean, not a number"),
        ("evses", {}, "must be a list, not an object"),
        ("coordinates", [], "must be an object, not a list"),
    ],
)
def test_what_would_break_somebody_is_refused(field: str, value: object, reason: str) -> None:
    """A value that cannot be read, stored or used as an address is refused."""
    assert refused(location() | {field: value}) == [f"{field}: {reason}"]


@pytest.mark.parametrize(
    "field, value, text",
    [
        ("name", "x" * 1020, "longer than 255 characters"),
        ("name", "first\nsecond", "contains control characters"),
        ("name", "caf\x85", "contains control characters"),
        ("id", "x" * 144, "longer than 36 characters"),
        ("country", "NLDX", "longer than 3 characters"),
        ("parking_type", "MOON", "'MOON' is not a known ParkingType"),
    ],
)
def test_what_can_be_relayed_is_reported(field: str, value: object, text: str) -> None:
    """A defect that others can live with is kept and reported."""
    assert reported(location() | {field: value}) == [f"{field}: {text}"]


@pytest.mark.parametrize("value", ["é", "日本", "", "tab-free, printable ~"])
def test_strings_are_printable_unicode(value: str) -> None:
    """A string may hold any printable character, and be empty."""
    assert reported(location(name=value)) == []


@pytest.mark.parametrize("value", [True, 16.5, "16.5", "0x10", "", [], {}])
def test_what_is_no_integer_is_refused(value: object) -> None:
    """An integer is a JSON number without fraction, or at least reads like one."""
    where = "evses[0].connectors[0].max_amperage"

    (reason,) = refused(location(evses=[evse(connectors=[connector(max_amperage=value)])]))

    assert reason.startswith(f"{where}: must be an integer, not a")


@pytest.mark.parametrize("value", [0, -1, 2.5, 1e300, 10**30])
def test_numbers_are_json_numbers(value: float) -> None:
    """Any JSON number is a number."""
    assert validate(CdrDimension, {"type": "ENERGY", "volume": value}) == ()


@pytest.mark.parametrize("value", ["2.00", "-3", "1e2"])
def test_quoted_numbers_are_reported(value: object) -> None:
    """A number in quotes can still be read."""
    (finding,) = reported(with_percentage(value))

    assert finding.endswith("percentage: must be a number, not a string")


@pytest.mark.parametrize(
    "value, reason",
    [
        ("much", "must be a number, not a string"),
        (True, "must be a number, not a boolean"),
        (10**400, "is out of range"),
        (None, "required"),
    ],
)
def test_what_is_no_number_is_refused(value: object, reason: str) -> None:
    """A number that cannot be read is refused."""
    assert refused(with_percentage(value)) == [f"energy_mix.energy_sources[0].percentage: {reason}"]


def with_percentage(value: object) -> dict[str, object]:
    """Build a Location with the share of one energy source."""
    source = {"source": "WIND", "percentage": value}
    return location(energy_mix={"is_green_energy": True, "energy_sources": [source]})


def test_too_many_digits_are_reported() -> None:
    """The length of an integer is a limit like that of a string."""
    image = {"url": "https://example.com/a.png", "category": "ENTRANCE", "type": "png"}

    (finding,) = validate(Image, image | {"width": 100_000, "height": 99_999})

    assert str(finding) == "width: has more than 5 digits"


def test_nested_lists_name_their_elements() -> None:
    """The path leads through every list to the element."""
    hours = {"twentyfourseven": False, "regular_hours": [{"weekday": 1, "period_begin": "08:00"}]}

    with pytest.raises(InvalidParameters, match=r"^regular_hours\[0\]\.period_end: required$"):
        validate(Hours, hours)


def test_something_else_than_an_object_is_refused() -> None:
    """What is no object has no fields to name."""
    assert refused([location()]) == ["must be an object, not a list"]
    assert refused(None) == ["required"]


def test_credentials_need_a_role_and_a_token() -> None:
    """Credentials without a token or a role are good for nothing."""
    with pytest.raises(InvalidParameters, match=r"^token: must not be empty; roles: must not be"):
        validate(Credentials, {"token": "", "url": "https://example.com/versions", "roles": []})


def test_custom_modules_are_reported() -> None:
    """A module this version does not define is tolerated among the endpoints."""
    endpoint = {"identifier": "nltnm-tokens", "role": "SENDER", "url": "https://example.com/x"}

    (finding,) = validate(VersionDetails, {"version": "2.2.1", "endpoints": [endpoint]})

    assert str(finding) == "endpoints[0].identifier: 'nltnm-tokens' is not a known ModuleID"


def test_older_versions_know_less() -> None:
    """The same Location is checked by the tables of the version it was sent in."""
    chaoji = location(address="x" * 46, evses=[evse(connectors=[connector(standard="CHAOJI")])])
    declared = VERSIONS["2.2"].modules[ModuleID.LOCATIONS].kept
    assert declared is not None

    assert reported(chaoji) == []
    assert [str(finding) for finding in validate(declared.model, chaoji)] == [
        "address: longer than 45 characters",
        "evses[0].connectors[0].standard: 'CHAOJI' is not a known ConnectorType",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"id":',
        b"{'id': 1}",
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b'{"id": 1,}',
        b'{"id": 1} trailing',
        b'"\xff"',
        b'"\\ud800"',
        b'"\\udc00abcdef"',
        b'"\xed\xa0\x80"',
        b'"\x01"',
        b"[" * 100_000 + b"]" * 100_000,
        b"\xef\xbb\xbf{}",
        b"1e999",
    ],
)
def test_what_is_not_json_never_reaches_ocpi(body: bytes) -> None:
    """Malformed JSON, broken Unicode and bottomless nesting are an HTTP 400."""
    with pytest.raises(NotJson) as wrong:
        decode(body)
    assert wrong.value.http_status == 400


def test_json_is_decoded_as_it_is() -> None:
    """Any JSON value comes out as Python has it."""
    assert decode(b' {"a": [1, 2.5, "x", null, true]} ') == {"a": [1, 2.5, "x", None, True]}


@pytest.mark.parametrize(
    "body, kind",
    [
        (b"[]", "a list"),
        (b'"x"', "a string"),
        (b"1", "a number"),
        (b"1.5", "a number"),
        (b"true", "a boolean"),
        (b"null", "null"),
    ],
)
def test_an_object_is_expected(body: bytes, kind: str) -> None:
    """Where an object is expected, another JSON value is an invalid parameter."""
    with pytest.raises(InvalidParameters, match=f"^must be an object, not {kind}$"):
        decode_object(body)


def test_an_object_is_decoded() -> None:
    """An object comes out as a dict."""
    assert decode_object(b'{"id": "LOC1"}') == {"id": "LOC1"}
