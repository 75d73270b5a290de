"""Timestamps, parties and case folding."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.types import (
    DATETIME_PATTERN,
    PartyRef,
    Role,
    fold,
    format_datetime,
    parse_datetime,
)
from ocpi.v2_2_1.location_types import ExceptionalPeriod
from ocpi.validation import validate

INSTANTS = st.datetimes(timezones=st.just(UTC))
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)


@pytest.mark.conformance("DT-01")
@pytest.mark.parametrize(
    "text, expected",
    [
        ("2015-06-29T20:39:09Z", datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC)),
        ("2015-06-29T20:39:09", datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC)),
        ("2016-12-29T17:45:09.2Z", datetime(2016, 12, 29, 17, 45, 9, 200_000, tzinfo=UTC)),
        ("2016-12-29T17:45:09.2", datetime(2016, 12, 29, 17, 45, 9, 200_000, tzinfo=UTC)),
        ("2018-01-01T01:08:01.123Z", datetime(2018, 1, 1, 1, 8, 1, 123_000, tzinfo=UTC)),
        ("2018-01-01T01:08:01.123", datetime(2018, 1, 1, 1, 8, 1, 123_000, tzinfo=UTC)),
    ],
)
def test_the_shapes_of_the_specification_are_instants_in_utc(text: str, expected: datetime) -> None:
    """A missing zone designator implies UTC, and fractions of seconds are welcome."""
    assert expected == parse_datetime(text)
    assert validate(ExceptionalPeriod, {"period_begin": text, "period_end": text}) == ()


@pytest.mark.conformance("DT-02")
@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T05:32:00z",
        "2026-11-21T05:32:00+00:00",
        "2026-11-21T07:32:00+02:00",
        "2026-11-21T07:32:00+0200",
        "2026-11-20T23:02:00-06:30",
        "2026-11-21T05:32:00.000000000Z",
    ],
)
def test_other_spellings_of_an_instant_are_understood(text: str) -> None:
    """Offsets and a lower-case z are accepted and compared as instants."""
    assert datetime(2026, 11, 21, 5, 32, tzinfo=UTC) == parse_datetime(text)
    assert validate(ExceptionalPeriod, {"period_begin": text, "period_end": text}) == ()


def test_the_unknown_moment_of_cdrs_is_the_epoch() -> None:
    """The specification's own "unknown", without leading zeros, is accepted."""
    assert datetime(1970, 1, 1, tzinfo=UTC) == parse_datetime("1970-1-1T00:00:00Z")


def test_digits_beyond_microseconds_are_cut() -> None:
    """Nine digits of a fraction are accepted, six are kept."""
    assert parse_datetime("2026-11-21T05:32:00.123456789Z").microsecond == 123_456


@pytest.mark.parametrize(
    "text, expected",
    [
        ("0001-01-01T00:00:00+01:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_never_and_forever_in_another_zone_stay_in_range(text: str, expected: datetime) -> None:
    """What lies just outside of the calendar becomes its first or last moment."""
    assert expected == parse_datetime(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21 05:32:00Z",
        "2026-11-21T05:32Z",
        "2026-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "0000-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T05:60:00Z",
        "2026-11-21T05:32:60Z",
        "2026-11-21T05:32:00.Z",
        "2026-11-21T05:32:00.1234567890Z",
        "2026-11-21T05:32:00+24:00",
        "2026-11-21T05:32:00Z\n",
        "2026-1-1T00:00:00Z",
        "٢٠٢٦-11-21T05:32:00Z",
        "1467232749",
        "yesterday",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    """A timestamp names a real day and time in the shape of the specification."""
    with pytest.raises(ValueError, match="is not a timestamp"):
        parse_datetime(text)


@pytest.mark.conformance("DT-03")
@given(INSTANTS)
def test_written_timestamps_have_the_permitted_shape(moment: datetime) -> None:
    """What is written ends in Z, has no or three decimals and at most 24 characters."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", format_datetime(moment))


@given(INSTANTS)
def test_writing_and_reading_gives_the_same_millisecond(moment: datetime) -> None:
    """Nothing but digits below the millisecond is lost between writing and reading."""
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    assert whole == parse_datetime(format_datetime(moment))


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=OFFSETS,
    )
)
def test_any_offset_is_read_as_python_reads_it(moment: datetime) -> None:
    """The instant of a timestamp does not depend on the zone it is written in."""
    assert moment == parse_datetime(moment.isoformat())
    assert format_datetime(moment) == format_datetime(moment.astimezone(UTC))


@given(st.from_regex(DATETIME_PATTERN, fullmatch=True))
def test_a_field_accepts_nothing_that_cannot_be_read(text: str) -> None:
    """Whatever passes validation as a timestamp is an instant."""
    assert parse_datetime(text).tzinfo is UTC


@given(st.dates(), st.integers(28, 32))
def test_only_days_of_the_calendar_pass(month: date, day: int) -> None:
    """Validation and the calendar agree on the last days of every month."""
    text = f"{month.year:04}-{month.month:02}-{day:02}T00:00:00Z"
    try:
        datetime(month.year, month.month, day, tzinfo=UTC)
    except ValueError:
        assert re.fullmatch(DATETIME_PATTERN, text) is None
    else:
        assert re.fullmatch(DATETIME_PATTERN, text)


def test_a_moment_without_zone_is_not_written() -> None:
    """A naive datetime could mean anything, so it is refused."""
    with pytest.raises(ValueError, match="without a zone"):
        format_datetime(datetime(2026, 11, 21))  # noqa: DTZ001 - that is the point


@given(
    st.text(VISIBLE, min_size=2, max_size=2),
    st.text(VISIBLE, min_size=3, max_size=3),
)
def test_a_party_is_read_as_it_is_written(country_code: str, party_id: str) -> None:
    """Writing a reference and reading it gives the same party, whatever its characters."""
    party = PartyRef(country_code, party_id)

    assert party == PartyRef.parse(str(party))


def test_parties_are_compared_case_insensitively() -> None:
    """Country codes and party ids are CiStrings, so their case means nothing."""
    assert PartyRef("NL", "CPA") == PartyRef("nl", "cPa")
    assert len({PartyRef("NL", "CPA"), PartyRef.parse("nl-cpa")}) == 1
    assert str(PartyRef("nl", "cpa")) == "NL-CPA"


@pytest.mark.parametrize(
    "text", ["", "NL", "NLCPA", "NL-CPAX", "N-CPA", "NL CPA", "NL-CP\n", "ÑL-CPA"]
)
def test_what_is_no_party_is_refused(text: str) -> None:
    """A reference is two visible ASCII characters, a hyphen and three more."""
    with pytest.raises(ValueError, match="is not a party"):
        PartyRef.parse(text)


@given(st.text())
def test_folding_changes_ascii_letters_only(text: str) -> None:
    """Folding twice changes nothing more, and what is not ASCII stays as it is."""
    folded = fold(text)

    assert folded == fold(folded)
    assert len(text) == len(folded)
    assert [c for c in text if not c.isascii()] == [c for c in folded if not c.isascii()]
    assert fold("straße-1") == "STRAßE-1"


def test_enum_members_are_their_wire_values() -> None:
    """Wire names are never translated."""
    assert Role("EMSP") is Role.EMSP
    assert str(Role.EMSP) == "EMSP"
