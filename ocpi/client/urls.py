"""How a URL that a platform advertised and the path of one object become one URL.

Specification: versions (endpoints) and the URL structures of every module.
"""


def join(endpoint: str, raw_suffix: str) -> str:
    """Join with exactly one slash, whatever the peer advertised; both sides remain as spelled.

    `raw_suffix` is already percent-encoded and may carry a query; an empty one leaves the endpoint
    as advertised.
    """
    suffix, _, suffix_query = raw_suffix.partition("?")
    suffix = suffix.lstrip("/")
    if not suffix:
        return list_url(endpoint, suffix_query)
    base, _, base_query = endpoint.partition("?")
    joined = f"{base.rstrip('/')}/{suffix}"
    return list_url(list_url(joined, base_query), suffix_query)


def list_url(endpoint: str, query: str = "") -> str:
    """Put the query of a list directly behind the endpoint, its trailing slash kept or absent."""
    query = query.removeprefix("?")
    if not query:
        return endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"
