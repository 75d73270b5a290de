"""How advertised endpoints and paths are joined."""

import pytest

from ocpi.client import join, with_query


@pytest.mark.parametrize(
    "endpoint, suffix, joined",
    [
        ("https://p/tokens", "DE/MSA/1", "https://p/tokens/DE/MSA/1"),
        ("https://p/tokens/", "DE/MSA/1", "https://p/tokens/DE/MSA/1"),
        ("https://p/tokens//", "/DE/MSA/1", "https://p/tokens/DE/MSA/1"),
        ("https://p/tokens/", "DE/MSA/1?type=RFID", "https://p/tokens/DE/MSA/1?type=RFID"),
        ("https://p/t", "a%2Fb/%41*:+", "https://p/t/a%2Fb/%41*:+"),
        ("https://p/t/", "a/", "https://p/t/a/"),
        ("https://p/t?v=1", "a", "https://p/t/a?v=1"),
        ("https://p/t/?v=1", "a?b=2", "https://p/t/a?v=1&b=2"),
        ("https://p/t/", "", "https://p/t/"),
        ("https://p/t", "?a=b", "https://p/t?a=b"),
        ("https://p", "a", "https://p/a"),
    ],
)
def test_join_has_exactly_one_slash(endpoint: str, suffix: str, joined: str) -> None:
    """Whatever the peer advertised, there is one slash between; escapes stay as they are."""
    assert join(endpoint, suffix) == joined


@pytest.mark.parametrize(
    "endpoint, query, url",
    [
        ("https://p/cdrs/", "offset=0&limit=5", "https://p/cdrs/?offset=0&limit=5"),
        ("https://p/cdrs", "?offset=0", "https://p/cdrs?offset=0"),
        ("https://p/cdrs?v=1", "offset=0", "https://p/cdrs?v=1&offset=0"),
        ("https://p/cdrs/", "", "https://p/cdrs/"),
    ],
)
def test_query_follows_the_endpoint_as_advertised(endpoint: str, query: str, url: str) -> None:
    """A list keeps the trailing slash it was advertised with, or its absence."""
    assert with_query(endpoint, query) == url
