"""What every module has in common: an object comes out as it went in, or is told what is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Result, SandboxPlatform
from tests.cast import HUB, Cast, route
from tests.hub.charging_objects import answered, asked
from tests.hub.samples import CDR, SAMPLES, SESSION, TARIFF, TOKEN, Sample

OTHERS = (TARIFF, TOKEN, SESSION, CDR)
CHANGEABLE = (TARIFF, TOKEN, SESSION)
TEN = "2027-05-01T10:00:00"
ODD: dict[str, dict[str, Any]] = {
    "tariffs": {"tariff_alt_url": "https://" + "x" * 300, "min_price": {"excl_vat": "2.00"}},
    "tokens": {"visual_number": "v" * 100, "issuer": "i" * 100},
    "sessions": {"kwh": "2.00", "meter_id": "m" * 300},
    "cdrs": {"total_energy": "2.00", "remark": "r" * 300},
}
SHAPES = ("", "Z", ".1", ".1Z", ".123Z", ".123456789")


def of(*samples: Sample) -> pytest.MarkDecorator:
    """Run a test for each of these modules."""
    return pytest.mark.parametrize("sample", samples, ids=[each.module for each in samples])


@pytest.fixture
def agreed(cast: Cast) -> Cast:
    """NL-CPA and DE-MSA, who may have everything of each other."""
    cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    return cast


def reader_of(cast: Cast, sample: Sample) -> SandboxPlatform:
    """Return the platform that a module's objects are for."""
    return cast["P1" if sample.platform == "P2" else "P2"]


def listing(cast: Cast, sample: Sample, **query: str) -> list[Any]:
    """Return what a module's reader gets by GET-All, with numbers as they are spelled."""
    suffix = "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""
    hub = reader_of(cast, sample).hub
    result = hub.get(sample.module, "SENDER", suffix, to=HUB, sender=sample.reader)
    assert answered(result) == (200, 1000)
    found: list[Any] = _spelled(result.body)["data"]
    return found


def _spelled(text: str | bytes) -> Any:
    return json.loads(text, parse_float=str, parse_int=str)


def read(cast: Cast, sample: Sample, identifier: str = "") -> Result:
    """GET a Client Owned Object as its owner."""
    path = sample.path(identifier or sample.value[sample.id_field])
    hub = cast[sample.platform].hub
    return hub.get(sample.module, "RECEIVER", path, to=HUB, sender=sample.owner)


@of(*SAMPLES)
@pytest.mark.conformance("TF-93", "TF-94", "TF-95")
def test_an_object_of_every_module_comes_out_as_it_went_in(
    agreed: Cast, deliver_all: Callable[[], int], sample: Sample
) -> None:
    """Number lexemes, unknown members and values, key order, last_updated: pushed and listed."""
    deliver_all()
    value = {"x_first": {"b": [8.10, None], "a": "é😀"}, **sample.value}
    text = json.dumps({**value, "last_updated": "2020-01-01T10:00:00"}, indent=1)
    text = text.replace('"x_first": {', '"x_first": {"n": [1e2, -0.0, 1.50, 8.10], ')
    for known in ("RFID", "REGULAR", "WHITELIST", "ALWAYS"):
        text = text.replace(f'"{known}"', '"ZOO"')

    result = sample.send(agreed[sample.platform], text)
    deliver_all()

    assert answered(result) == (201, 1000)
    [seen] = asked(reader_of(agreed, sample), sample.module)[-1:]
    assert seen.body == text.encode()
    assert listing(agreed, sample) == [_spelled(text)]
    assert _order(listing(agreed, sample)[0]) == _order(_spelled(text))
    assert _spelled(text)["last_updated"] == "2020-01-01T10:00:00"


def _order(value: Any) -> Any:
    """Return the names of an object in their order, at every depth."""
    if isinstance(value, dict):
        return [(name, _order(each)) for name, each in value.items()]
    return [_order(each) for each in value] if isinstance(value, list) else None


@of(*OTHERS)
@pytest.mark.conformance("DT-01", "DT-02")
def test_every_shape_of_a_timestamp_is_an_instant(agreed: Cast, sample: Sample) -> None:
    """With and without zone and fraction, with offsets: filters treat them alike."""
    stamps = [*(f"{TEN}{shape}" for shape in SHAPES), "2027-05-01T12:00:00+02:00", f"{TEN}z"]
    for number, stamp in enumerate(stamps):
        named = {**sample.value, sample.id_field: f"O{number}", "last_updated": stamp}
        each = Sample(**{**_fields(sample), "value": named})
        assert answered(each.send(agreed[sample.platform])) == (201, 1000)

    def found(**query: str) -> list[str]:
        return [each["last_updated"] for each in listing(agreed, sample, **query)]

    assert found() == stamps
    assert found(date_from=f"{TEN}Z") == stamps
    assert found(date_from=f"{TEN}.001") == stamps[2:6]
    assert found(date_from=f"{TEN}.1", date_to=f"{TEN}.12Z") == stamps[2:4]
    assert found(date_to=f"{TEN}Z") == []


def _fields(sample: Sample) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in sample.__dataclass_fields__}


@of(*OTHERS)
@pytest.mark.conformance("DT-04", "DT-05")
def test_ids_are_compared_without_case_and_enums_with_it(agreed: Cast, sample: Sample) -> None:
    """One object under both spellings; `rfid` is another word than RFID."""
    platform, name = agreed[sample.platform], "CaSe1"
    lower = {**sample.value, sample.id_field: name, "auth_method": "whitelist", "type": "rfid"}
    lower["status"] = "active"
    each = Sample(**{**_fields(sample), "value": lower})
    result = each.send(platform)
    assert answered(result) == (201, 1000)
    words = {"tariffs": "type", "tokens": "type", "sessions": "status", "cdrs": "auth_method"}
    assert f"{words[sample.module]}: " in str(result.message)

    again = Sample(**{**_fields(each), "value": {**lower, sample.id_field: name.upper()}})
    second = again.send(platform)

    assert answered(second) == ((200, 2001) if sample.posted else (200, 1000))
    assert len(listing(agreed, sample)) == 1
    kept = name if sample.posted else name.upper()
    assert listing(agreed, sample)[0][sample.id_field] == kept


@of(*OTHERS)
@pytest.mark.conformance("DT-06", "DT-08", "DT-09")
def test_what_is_odd_is_kept_and_told(agreed: Cast, sample: Sample) -> None:
    """Null is like nothing; a number in a string and a text too long are kept, and told."""
    odd = ODD[sample.module]
    nothing: dict[str, Any] = {"tariff_alt_text": [], "group_id": None, "charging_periods": None}
    if sample.posted:
        del nothing["charging_periods"]
    value = {**sample.value, **nothing, **odd}

    each = Sample(**{**_fields(sample), "value": value})
    result = each.send(agreed[sample.platform])

    assert answered(result) == (201, 1000)
    for name in odd:
        assert f"{name}" in str(result.message)
    assert not any(name in str(result.message) for name in nothing)
    assert listing(agreed, sample) == [_spelled(json.dumps(value))]


@of(*CHANGEABLE)
@pytest.mark.conformance("ST-02", "ST-03", "ST-09", "TF-34")
def test_created_is_201_replaced_200_and_missing_404(agreed: Cast, sample: Sample) -> None:
    """With an envelope: 2004 for a token, 2001 for what has no code of its own."""
    platform = agreed[sample.platform]

    missing = read(agreed, sample)
    created = sample.send(platform)
    replaced = sample.send(platform, {**sample.value, "x_new": 1})

    assert answered(missing) == (404, 2004 if sample is TOKEN else 2001)
    assert sample.value[sample.id_field] in str(missing.message)
    assert "data" not in missing.json
    assert [answered(each) for each in (created, replaced)] == [(201, 1000), (200, 1000)]
    assert read(agreed, sample).data == {**sample.value, "x_new": 1}


@of(*SAMPLES)
@pytest.mark.conformance("ST-01", "ST-05", "ST-06", "ST-19", "TF-35", "TF-101")
def test_a_wrong_object_is_2001_without_data_and_goes_nowhere(
    agreed: Cast, deliver_all: Callable[[], int], sample: Sample
) -> None:
    """Every finding is named in one sentence, from the hub; its reader sees nothing."""
    platform, reader = agreed[sample.platform], reader_of(agreed, sample)
    reader.forget()
    value = {name: each for name, each in sample.value.items() if name != "last_updated"}

    result = sample.send(
        platform, {**value, "country_code": ["NL"], "currency": 7, "issuer": 7, "city": 7}
    )
    deliver_all()

    assert answered(result) == (200, 2001)
    assert "country_code" in str(result.message)
    assert "data" not in result.json
    assert route(result) == (sample.owner, HUB)
    assert asked(reader, sample.module) == []
    assert listing(agreed, sample) == []


@of(*SAMPLES)
@pytest.mark.conformance("TF-11", "ST-01")
def test_what_is_no_json_is_400_in_every_module(agreed: Cast, sample: Sample) -> None:
    """Over real HTTP: it never reached OCPI."""
    text = json.dumps(sample.value)
    for body in (
        text[:-1],
        "",
        "NaN",
        text.replace(":", ": NaN, ", 1),
        text[:-1] + ',"x":"\\ud800"}',
    ):
        result = sample.send(agreed[sample.platform], body.encode())

        assert answered(result) == (400, 2001)
        assert result.message
    assert listing(agreed, sample) == []
