"""Which URLs and addresses the hub calls: the table is the rule."""

import pytest

from ocpi.client import AddressPolicy, AddressRefused

PUBLIC = AddressPolicy()
PRIVATE = AddressPolicy(allow_private=True, allow_http=True)

NOBODYS = [
    "0.0.0.0",
    "0.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "192.0.0.192",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::2",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "4000::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
"""Refused under every policy: no peer lives there."""

OURS = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "::1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::127.0.0.1",
    "fc00::1",
    "fd12:3456:789a::1",
]
"""Refused unless private peering is allowed."""

EVERYBODYS = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:831::200e",
    "64:ff9b::8.8.8.8",
]
"""Public addresses, among them the neighbours of every private network."""


def _literal(address: str) -> str:
    return f"https://[{address}]/ocpi" if ":" in address else f"https://{address}:8443/ocpi"


@pytest.mark.parametrize("address", NOBODYS)
@pytest.mark.parametrize("policy", [PUBLIC, PRIVATE])
def test_special_purpose_address_is_refused(policy: AddressPolicy, address: str) -> None:
    """Metadata, link-local, multicast and embedded addresses stay closed, as answer and in URLs."""
    assert policy.objection(address) is not None
    with pytest.raises(AddressRefused):
        policy.check_url(_literal(address))


@pytest.mark.parametrize("address", OURS)
def test_private_address_needs_permission(address: str) -> None:
    """The hub's own network opens with a setting only, as answer and in URLs."""
    assert PUBLIC.objection(address) is not None
    with pytest.raises(AddressRefused):
        PUBLIC.check_url(_literal(address))

    assert PRIVATE.objection(address) is None
    PRIVATE.check_url(_literal(address))


@pytest.mark.parametrize("address", EVERYBODYS)
def test_public_address_is_allowed(address: str) -> None:
    """The tables of closed networks end where those networks end."""
    assert PUBLIC.objection(address) is None
    PUBLIC.check_url(_literal(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0.0.1./",
        "https://0/",
        "https://3232235777/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fe80::1%25eth0]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://hub.localhost:8000/",
        "https://%31%32%37.0.0.1/",
        "https://127\u30020\u30020\u30021/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://example.com@127.0.0.1/",
        "https://@example.com/",
        "https://example.com\\@127.0.0.1/",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/ocpi",
        "/ocpi/versions",
        "example.com/ocpi",
        "https:example.com",
        "https:///ocpi",
        "https://",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://[::1/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nX-Injected: yes",
        "https://example.com/\x00",
        " https://example.com/",
        "",
        "https://example.com/" + "x" * 236,
    ],
)
def test_url_is_refused(url: str) -> None:
    """Odd spellings, hidden hosts, other schemes, control characters and over-long URLs."""
    with pytest.raises(AddressRefused):
        PUBLIC.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTPS://EXAMPLE.com/ocpi/versions",
        "https://example.com:8443/ocpi?x=%2F",
        "https://ocpi.xn--bcher-kva.example/",
        "https://8.8.8.8.example.com/",
        "https://10.example/",
        "https://example.com/" + "x" * 235,
        "https://example.com/NL*CPA*E1:2/@/a,b;c='d'",
    ],
)
def test_url_is_accepted(url: str) -> None:
    """Every port, every path and names that only look like addresses."""
    PUBLIC.check_url(url)


def test_what_is_no_address_is_refused() -> None:
    """A name server that answers nonsense opens nothing."""
    assert PUBLIC.objection("example.com") is not None


def test_plain_http_needs_permission() -> None:
    """The setting opens http, and nothing but http."""
    policy = AddressPolicy(allow_http=True)

    policy.check_url("http://example.com/ocpi")
    with pytest.raises(AddressRefused, match="https"):
        policy.check_url("ftp://example.com/ocpi")


def test_built_urls_may_be_longer_than_registered_ones() -> None:
    """An endpoint of legal length plus an identifier is still called."""
    url = "https://example.com/" + "x" * 1000

    assert str(PUBLIC.screen(url)) == url


def test_only_good_answers_of_a_lookup_are_used() -> None:
    """One bad address among good ones does not stop the peer, and is not tried."""
    answers = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1"]

    assert PUBLIC.permitted("example.com", answers) == ["8.8.8.8", "2606:4700::1"]


def test_lookup_without_a_good_answer_is_refused() -> None:
    """The operator reads which address was found."""
    with pytest.raises(AddressRefused, match=r"example\.com: 10\.0\.0\.1 is a private address"):
        PUBLIC.permitted("example.com", ["10.0.0.1", "127.0.0.1"])
