"""Pages of lists: the parameters and the Link."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.errors import InvalidParameters
from ocpi.transport.pagination import PageRequest, next_link, read_link

BASE = "https://cpo.example/ocpi/2.2.1/locations?limit=2"


def test_all_parameters_are_read() -> None:
    """Filters and position of a page come from the query."""
    query = {
        "date_from": "2026-11-21T05:32:00",
        "date_to": "2026-11-22T05:32:00Z",
        "offset": "4",
        "limit": "2",
        "cursor": "abc",
        "foo": "1",
    }

    assert PageRequest.read(query) == PageRequest(
        date_from=datetime(2026, 11, 21, 5, 32, tzinfo=UTC),
        date_to=datetime(2026, 11, 22, 5, 32, tzinfo=UTC),
        offset=4,
        limit=2,
        cursor="abc",
    )


def test_without_parameters_the_list_starts_at_its_beginning() -> None:
    """The default offset is 0; empty parameters are none."""
    assert PageRequest.read({}) == PageRequest(None, None, 0, None, None)
    assert PageRequest.read({"limit": "", "date_from": ""}) == PageRequest.read({})


def test_an_unencoded_plus_is_understood() -> None:
    """The plus of an offset arrives as a space when it was not encoded."""
    page = PageRequest.read({"date_from": "2026-11-21T06:32:00 01:00"})

    assert page.date_from == datetime(2026, 11, 21, 5, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    "name, value",
    [
        ("limit", "-1"),
        ("limit", "0"),
        ("limit", "1.5"),
        ("limit", "٣"),
        ("offset", "x"),
        ("offset", "-1"),
        ("offset", "9" * 19),
        ("date_from", "yesterday"),
        ("date_to", "2026-02-30T00:00:00Z"),
    ],
)
def test_a_malformed_parameter_is_named(name: str, value: str) -> None:
    """A parameter that cannot be read is refused by its name."""
    with pytest.raises(InvalidParameters, match=f"^{name}: "):
        PageRequest.read({name: value})


def test_every_malformed_parameter_is_named() -> None:
    """One answer names everything that is wrong with the query."""
    with pytest.raises(InvalidParameters) as wrong:
        PageRequest.read({"limit": "0", "offset": "x", "date_from": "", "date_to": "1"})

    assert {finding.path for finding in wrong.value.findings} == {"limit", "offset", "date_to"}


@given(
    st.builds(
        PageRequest,
        date_from=st.none()
        | st.datetimes(timezones=st.just(UTC)).map(lambda m: m.replace(microsecond=0)),
        offset=st.integers(0, 10**12),
        limit=st.none() | st.integers(1, 1000),
        cursor=st.none()
        | st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1),
    )
)
def test_a_query_is_read_as_it_was_written(page: PageRequest) -> None:
    """The link to the next page keeps every filter."""
    assert page == PageRequest.read(dict(parse_qsl(page.as_query())))


def test_the_link_is_read_as_it_was_written() -> None:
    """The next page's URL survives writing and reading."""
    url = "https://hub.example/ocpi/2.2.1/sender/locations?offset=2&limit=2"

    assert next_link(url) == f'<{url}>; rel="next"'
    assert url == read_link(next_link(url), base_url=BASE)


@pytest.mark.parametrize(
    "header",
    [
        '<https://cpo.example/p2>; rel="next"',
        "<https://cpo.example/p2>;rel=next",
        '<https://cpo.example/p2> ; REL = "NEXT"',
        '<https://cpo.example/p2>; title="a, b"; rel="last next"',
        '<https://cpo.example/p1>; rel="prev", <https://cpo.example/p2>; rel="next"',
        '<https://cpo.example/p2>; rel="next", <https://cpo.example/p9>; rel="last"',
        "</p2>; rel=next",
        "<../../p2>; rel=next",
    ],
)
def test_links_are_found_in_any_spelling(header: str) -> None:
    """Several links, other spellings and relative URLs are understood."""
    assert read_link(header, base_url=BASE) == "https://cpo.example/p2"


def test_a_link_of_parameters_only_is_relative_to_the_page() -> None:
    """A relative link may be nothing but a query."""
    expected = "https://cpo.example/ocpi/2.2.1/locations?offset=2"

    assert expected == read_link("<?offset=2>; rel=next", base_url=BASE)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "<>; rel=next",
        "<https://cpo.example/p1>",
        '<https://cpo.example/p1>; rel="prev"',
        '<https://cpo.example/p1>; rel=""',
        "https://cpo.example/p2; rel=next",
        "<http://[::>; rel=next",
    ],
)
def test_without_a_next_page_there_is_no_link(header: str | None) -> None:
    """An absent, empty, foreign or broken Link ends the list."""
    assert read_link(header, base_url=BASE) is None


@given(st.text())
def test_reading_a_link_never_fails(header: str) -> None:
    """Whatever stands in the header, reading it does not raise."""
    assert isinstance(read_link(header, base_url=BASE), str | None)
