"""How a URL that a platform advertised and the path of one object become one URL.

Specification: versions (endpoints) and the URL structures of every module.
"""


def join(endpoint: str, raw_suffix: str) -> str:
    """Join with exactly one slash, whatever the peer advertised; both sides remain as spelled.

    `raw_suffix` is already percent-encoded and may carry a query. Where it has no path, the query
    alone is appended to the endpoint as advertised.
    """
    suffix, _, suffix_query = raw_suffix.partition("?")
    suffix = suffix.lstrip("/")
    if not suffix:
        return with_query(endpoint, suffix_query)
    base, _, base_query = endpoint.partition("?")
    joined = f"{base.rstrip('/')}/{suffix}"
    return with_query(with_query(joined, base_query), suffix_query)


def with_query(url: str, query: str = "") -> str:
    """Append a query to a URL, which may have one already.

    No slash is added or taken away before it: some servers answer at only one of the two URLs.
    """
    query = query.removeprefix("?")
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"
