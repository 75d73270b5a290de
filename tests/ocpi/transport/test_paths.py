"""The raw path and query of a request, and what its segments may be."""

import pytest
from django.test import RequestFactory

from ocpi.errors import NotFound
from ocpi.transport.paths import raw_path, raw_query, segments


@pytest.mark.parametrize(
    "raw, expected",
    [
        ("", ()),
        ("NL/CPA/L1", ("NL", "CPA", "L1")),
        ("a%2Fb%20c", ("a/b c",)),
        ("a+b%2B", ("a+b+",)),
        ("100%25", ("100%",)),
        ("%zz", ("%zz",)),
        ("...", ("...",)),
        ("a..b", ("a..b",)),
        ("%252e%252e", ("%2e%2e",)),
        ("caf%C3%A9", ("caf\u00e9",)),
    ],
)
def test_a_path_is_split_before_it_is_decoded(raw: str, expected: tuple[str, ...]) -> None:
    """An encoded slash belongs to the id, a plain one separates; `+` is a plus (A-06)."""
    assert segments(raw) == expected


@pytest.mark.parametrize(
    "raw", ["a//b", "/a", "%00", "a%0A", "%7F", "%C2%9F", "%FF", "%ED%B2%80", "..", "a/./b", "%2E."]
)
def test_what_no_id_can_be_is_not_found(raw: str) -> None:
    """Empty, unprintable and climbing segments are no resource; the message names the segment."""
    with pytest.raises(NotFound) as refused:
        segments(raw)

    assert refused.value.http_status == 404
    assert str(refused.value)


@pytest.mark.parametrize("segment", ["../x", "x/..", "a\\..\\b", "..;v=1", "./;x", "x/.;y/z"])
def test_an_encoded_way_out_is_found_too(segment: str) -> None:
    """Servers that decode before they resolve dots would take these for another path."""
    encoded = "".join(f"%{ord(character):02X}" for character in segment)

    with pytest.raises(NotFound):
        segments(f"L1/{encoded}")


def test_the_servers_raw_path_wins() -> None:
    """`RAW_URI` keeps what `PATH_INFO` has lost; without it the path is encoded again."""
    request = RequestFactory().get("/ocpi/a%2Fb?x=%20")

    assert raw_path(request) == "/ocpi/a/b"
    request.META["RAW_URI"] = "/ocpi/a%2Fb?x=%20"
    assert raw_path(request) == "/ocpi/a%2Fb"
    assert raw_query(request) == "x=%20"


def test_bytes_no_url_may_contain_are_encoded() -> None:
    """Raw bytes beyond ASCII, spaces and quotes become percent-encoded; `%` stays as it is."""
    request = RequestFactory().get("/")
    request.META |= {"RAW_URI": "/caf\u00c3\u00a9 %zz", "QUERY_STRING": "q=\u00fc%20\x01"}

    assert raw_path(request) == "/caf%C3%A9%20%zz"
    assert raw_query(request) == "q=%FC%20%01"
