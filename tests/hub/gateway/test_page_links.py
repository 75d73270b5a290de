"""Lists that are asked of one party: its pages come through the hub, and so do its links."""

import base64
import contextlib
import json
import secrets
import time
import zlib
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings

from hub.gateway import outbound, page_links
from hub.gateway.page_links import LinkedPage
from ocpi.errors import NotFound
from ocpi.transport.pagination import read_link
from parties.models import Agreement, AgreementState, Endpoint
from sandbox import Result, SandboxPlatform
from sandbox.misbehaviour import refuse, say
from tests.cast import CPA, CPB, HUB, MSA, MSB, Cast, a_location, push, route

Pair = tuple[SandboxPlatform, SandboxPlatform]
PAGE = b'{"status_code":1000,"data":[],"timestamp":"2026-01-01T00:00:00Z"}'


@pytest.fixture
def owner(pair: Pair) -> SandboxPlatform:
    """P1, with five locations of NL-CPA that the hub never saw."""
    for number in range(1, 6):
        body = a_location(CPA, number)
        pair[0].own["locations"]["NL", "CPA", body["id"]] = json.dumps(body)
    return pair[0]


def _first_page(emsp: SandboxPlatform, query: str = "?limit=2") -> Result:
    return emsp.hub.get("locations", "SENDER", query, to=CPA, sender=MSA)


def _link(result: Result) -> str:
    """Return the URL of the next page, which has to be there."""
    url = read_link(result.headers.get("Link"), base_url="http://absolute.invalid/")
    assert url is not None, dict(result.headers)
    return url


def _linked(pair: Pair, link: str, *, query: str = "?limit=2") -> Result:
    """Get a list whose owner says that it goes on there."""
    with pair[0].answer("GET /sender/locations", say(200, PAGE, headers={"Link": link})):
        return _first_page(pair[1], query)


@pytest.mark.conformance("TF-42", "TF-43")
def test_a_list_is_read_to_its_end_through_the_hub(owner: SandboxPlatform, pair: Pair) -> None:
    """Each link leads to the hub; the owner receives its own URLs, and its counts come through."""
    emsp = pair[1]
    theirs: list[str | None] = []
    owner.watchers.append(
        lambda _, answer: theirs.append(
            read_link(answer.headers.get("Link"), base_url=owner.addresses.origin)
        )
    )

    crawl = emsp.hub.list(
        "locations", {"limit": 2, "date_from": "2020-01-01T00:00:00+01:00"}, to=CPA
    )

    assert [each["id"] for each in crawl.data] == ["L1", "L2", "L3", "L4", "L5"]
    assert len(crawl.pages) == 3
    for page, url in zip(crawl.pages, theirs, strict=True):
        assert page.headers["X-Total-Count"] == "5"
        assert page.headers["X-Limit"] == "50"
        assert route(page) == (MSA, CPA)
        assert str(owner.port) not in page.headers.get("Link", "")
        assert ("Link" in page.headers) is (url is not None)
        if url is not None:
            assert _link(page).startswith(emsp.hub.endpoint("locations", "SENDER") + "?")
    called = [f"{owner.addresses.origin}{seen.path}" for seen in owner.seen]
    assert called[1:] == theirs[:-1]
    assert [route(seen) for seen in owner.seen] == [(CPA, MSA)] * 3


@pytest.mark.conformance("TF-42")
@pytest.mark.parametrize(
    "target, expected",
    [
        (
            "{origin}/odd//p%2Fath/;v=1?b=%2b&a=x+y&a=%C3%A9&&c",
            "/odd//p%2Fath/;v=1?b=%2b&a=x+y&a=%C3%A9&&c",
        ),
        ("/pages/7", "/pages/7"),
        ("?offset=2&limit=2", "{path}?offset=2&limit=2"),
        ("locations/?cursor=%3D%3D", "{path}/?cursor=%3D%3D"),
        ("//127.0.0.1:{port}/pages/8", "/pages/8"),
    ],
)
def test_the_owner_is_asked_at_exactly_its_own_link(
    owner: SandboxPlatform, pair: Pair, target: str, expected: str
) -> None:
    """However it is spelled, absolute or relative: byte for byte what the owner gave (A-45)."""
    origin, path = owner.addresses.origin, urlsplit(owner.endpoint("locations", "SENDER")).path
    link = f'<{target.format(origin=origin, port=owner.port)}>; rel="next"'
    url = _link(_linked(pair, link))
    owner.forget()

    with owner.answer("", say(200, PAGE)):
        result = pair[1].hub.read(url)

    [seen] = owner.seen
    assert seen.path == expected.format(path=path)
    assert (result.status_code, route(result)) == (1000, (MSA, CPA))
    assert "Link" not in result.headers


@pytest.mark.conformance("TF-44")
def test_a_link_needs_no_routing_headers(owner: SandboxPlatform, pair: Pair) -> None:
    """With TO and FROM, with either, with none: the link knows whose list it is for whom (A-46)."""
    url = _link(_first_page(pair[1]))

    for to, sender in ((CPA, MSA), (CPA, None), (None, MSA), (None, None)):
        owner.forget()
        result = pair[1].hub.read(url, to=to, sender=sender)

        assert [each["id"] for each in result.data] == ["L3", "L4"]
        assert [route(seen) for seen in owner.seen] == [(CPA, MSA)]
        assert route(result) == (MSA, CPA)


@pytest.mark.conformance("TF-44")
def test_of_several_parties_the_one_that_asked_is_meant(cast: Cast) -> None:
    """A platform of two eMSPs follows a link without FROM: it is the one that asked."""
    owner, emsps = cast["P1"], cast["two eMSPs"]
    cast.agree(("NL-CPA", "AT-TWB"))
    for number in (1, 2):
        owner.own["locations"]["NL", "CPA", f"L{number}"] = json.dumps(a_location(CPA, number))
    twb = emsps.roles[1][1]
    first = emsps.hub.get("locations", "SENDER", "?limit=1", to=CPA, sender=twb)

    result = emsps.hub.read(_link(first))

    assert [each["id"] for each in result.data] == ["L2"]
    assert route(owner.seen[-1]) == (CPA, twb)
    other = emsps.hub.read(_link(first), sender=emsps.party)
    assert (other.http_status, other.status_code) == (404, 2001)


@pytest.mark.conformance("TF-44")
def test_nobody_else_can_use_a_link(cast: Cast, owner: SandboxPlatform, pair: Pair) -> None:
    """Another eMSP, under an agreement of its own: 404, and nobody is asked."""
    other = cast["P3"]
    cast.agree(("NL-CPA", "FR-MSB"))
    url = _link(_first_page(pair[1]))
    owner.forget()

    for to, sender in ((None, None), (CPA, MSB), (CPA, None)):
        result = other.hub.read(url, to=to, sender=sender)
        assert (result.http_status, result.status_code) == (404, 2001)
        assert "another party" in str(result.message)
    assert other.hub.read(url, sender=MSA).status_code == 2001
    assert owner.seen == []


@pytest.mark.conformance("TF-44")
def test_a_link_to_one_party_is_no_link_to_another(owner: SandboxPlatform, pair: Pair) -> None:
    """TO contradicts the link: 2001 (A-46)."""
    url = _link(_first_page(pair[1]))
    owner.forget()

    for to in (HUB, CPB, MSB):
        result = pair[1].hub.read(url, to=to, sender=MSA)
        assert (result.http_status, result.status_code) == (200, 2001)
        assert "NL-CPA" in str(result.message)
    assert owner.seen == []


def test_a_link_is_of_one_list(owner: SandboxPlatform, pair: Pair) -> None:
    """The link of one module under the endpoint of another would be judged by its agreement."""
    url = _link(_first_page(pair[1])).replace("/sender/locations", "/sender/tariffs")
    owner.forget()

    result = pair[1].hub.read(url)

    assert (result.http_status, result.status_code) == (404, 2001)
    assert owner.seen == []


def _sealed(url: str) -> str:
    return dict(parse_qsl(urlsplit(url).query))[page_links.PARAMETER]


@pytest.mark.conformance("TF-44")
def test_a_link_nobody_gave_is_404(
    owner: SandboxPlatform, pair: Pair, settings: LazySettings
) -> None:
    """Changed in one place, made up, or sealed for another purpose: 404."""
    emsp = pair[1]
    url = _link(_first_page(emsp))
    sealed = _sealed(url)
    middle = len(sealed) // 3
    swapped = "A" if sealed[middle] != "A" else "B"
    content = json.dumps((str(MSA), str(CPA), f"{owner.addresses.origin}/x")).encode()
    forged = Fernet(settings.CREDENTIALS_KEYS[0]).encrypt(content).decode()
    owner.forget()

    for text in (
        sealed[:middle] + swapped + sealed[middle + 1 :],
        sealed[:-1],
        sealed + "A",
        forged,
        f"{owner.addresses.origin}/x",
        "\u00e9:\x00:",
    ):
        wrong = f"{url.partition('?')[0]}?{urlencode({page_links.PARAMETER: text})}"
        result = emsp.hub.read(wrong, to=CPA, sender=MSA)
        assert (result.http_status, result.status_code) == (404, 2001), text
        assert "start the list again" in str(result.message)
    assert owner.seen == []


@pytest.mark.conformance("TF-44")
def test_a_link_ends(owner: SandboxPlatform, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day after it was given it leads nowhere."""
    url = _link(_first_page(pair[1]))
    owner.forget()
    later = time.time() + 25 * 3600
    monkeypatch.setattr(time, "time", lambda: later)

    result = pair[1].hub.read(url)

    assert (result.http_status, result.status_code) == (404, 2001)
    assert "too old" in str(result.message)
    assert owner.seen == []


def test_an_agreement_that_ended_ends_its_links(owner: SandboxPlatform, pair: Pair) -> None:
    """A link opens nothing that a first page would not."""
    url = _link(_first_page(pair[1]))
    Agreement.objects.update(state=AgreementState.SUSPENDED.value)
    owner.forget()

    result = pair[1].hub.read(url)

    assert (result.http_status, result.status_code) == (200, 4001)
    assert owner.seen == []


def test_a_link_to_where_the_owner_was_is_not_followed(owner: SandboxPlatform, pair: Pair) -> None:
    """The owner moved to another host: its token is for nobody who stayed behind (A-95)."""
    url = _link(_first_page(pair[1]))
    Endpoint.objects.filter(module="locations").update(url="https://moved.example/locations")
    owner.forget()

    result = pair[1].hub.read(url)

    assert (result.http_status, result.status_code) == (404, 2001)
    assert owner.seen == []


UNUSABLE = {
    "none": None,
    "empty": "",
    "an empty target": '<>; rel="next"',
    "no brackets": "http://127.0.0.1:{port}/ocpi/2.2.1/sender/locations?offset=2",
    "another host": '<http://localhost:{port}/ocpi/2.2.1/sender/locations>; rel="next"',
    "another port": '<http://127.0.0.1:1/ocpi/2.2.1/sender/locations>; rel="next"',
    "another scheme": '<https://127.0.0.1:{port}/ocpi/2.2.1/sender/locations>; rel="next"',
    "cloud metadata": '<http://169.254.169.254/latest/meta-data/>; rel="next"',
    "user info": '<http://127.0.0.1:{port}@evil.example/x>; rel="next"',
    "no URL": '<http://[::>; rel="next"',
    "a port that is none": '<http://127.0.0.1:{port}x/x>; rel="next"',
    "a port out of range": '<http://127.0.0.1:99999/x>; rel="next"',
    "a file": '<file:///etc/passwd>; rel="next"',
    "another relation": '<http://127.0.0.1:{port}/x>; rel="prev"',
    "too long": "<http://127.0.0.1:{port}/" + "x" * 2_100 + '>; rel="next"',
}


@pytest.mark.conformance("TF-42")
@pytest.mark.parametrize("link", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_link_that_leads_astray_is_left_out(pair: Pair, link: str | None) -> None:
    """What is not at the owner's own host is not shown to the reader, and never called."""
    headers = {"X-Total-Count": "9", "X-Limit": "2"}
    if link is not None:
        headers["Link"] = link.format(port=pair[0].port)
    with pair[0].answer("GET /sender/locations", say(200, PAGE, headers=headers)):
        result = _first_page(pair[1])

    assert (result.http_status, result.status_code) == (200, 1000)
    assert "Link" not in result.headers
    assert (result.headers["X-Total-Count"], result.headers["X-Limit"]) == ("9", "2")


@pytest.mark.conformance("TF-42")
def test_a_page_that_is_refused_is_relayed(owner: SandboxPlatform, pair: Pair) -> None:
    """The owner's own answer to a page it does not know any more, envelope and all."""
    url = _link(_first_page(pair[1]))

    with owner.answer("", refuse(2001, "cursor expired")):
        result = pair[1].hub.read(url)

    assert (result.http_status, result.status_code) == (200, 2001)
    assert (result.message, route(result)) == ("cursor expired", (MSA, CPA))


@pytest.mark.security("S-14")
def test_a_link_tells_nothing(owner: SandboxPlatform, pair: Pair) -> None:
    """Decoded and unpacked in any way, it shows neither the owner's address nor its path."""
    sealed = base64.urlsafe_b64decode(_sealed(_link(_first_page(pair[1]))))

    for offset in range(len(sealed)):
        with contextlib.suppress(zlib.error):
            sealed += zlib.decompress(sealed[offset:])
    for part in (str(owner.port), "127.0.0.1", "locations", "offset", "CPA"):
        assert part.encode() not in sealed


@pytest.mark.security("S-14")
def test_a_cursor_tells_nothing(pair: Pair) -> None:
    """The numbers of the hub's own next page count everybody's: its reader sees none of them."""
    for number in (1, 2):
        push(pair[0], a_location(CPA, number))

    first = pair[1].hub.get("locations", "SENDER", "?limit=1", to=HUB, sender=MSA)

    [cursor] = parse_qs(urlsplit(_link(first)).query)["cursor"]
    assert "MSA" not in cursor
    assert len(base64.urlsafe_b64decode(cursor)) > 60
    assert [each["id"] for each in pair[1].hub.read(_link(first)).data] == ["L2"]


@pytest.mark.security("S-14")
def test_a_link_is_never_longer_than_peers_take(settings: LazySettings) -> None:
    """The longest URL that an owner may give for its next page makes a link of 3,000 characters."""
    url = "https://cpo.example/".ljust(outbound.LONGEST_URL, "x")
    endpoint = f"{settings.HUB_PUBLIC_URL}/ocpi/2.2.1/sender/chargingprofiles"

    assert len(page_links.next_page(endpoint, LinkedPage(MSA, 1, CPA, url))) <= 3_000


@pytest.mark.security("S-14")
def test_the_length_of_a_link_tells_nothing_of_what_is_in_it() -> None:
    """A reader chooses a part of the URL: compressed beside it, the rest could be guessed."""
    endpoint = "https://hub.example/ocpi/2.2.1/sender/locations"
    lengths = {
        len(page_links.next_page(endpoint, LinkedPage(MSA, 1, CPA, f"https://cpo.example/{path}")))
        for path in ("x" * 300, secrets.token_hex(150), "https://cpo.example/".ljust(300, "?"))
    }
    assert len(lengths) == 1


@pytest.mark.security("S-14")
def test_links_outlive_a_rotation_of_keys(
    owner: SandboxPlatform, pair: Pair, settings: LazySettings
) -> None:
    """A link sealed with the former key is followed while that key is still listed, then not."""
    url = _link(_first_page(pair[1]))
    former, new = settings.CREDENTIALS_KEYS, Fernet.generate_key().decode()

    settings.CREDENTIALS_KEYS = [new, *former]
    assert [each["id"] for each in pair[1].hub.read(url).data] == ["L3", "L4"]
    endpoint, query = url.split("?")
    [sealed] = parse_qs(query)[page_links.PARAMETER]
    assert page_links.read(sealed, endpoint=endpoint)
    settings.CREDENTIALS_KEYS = [new]
    with pytest.raises(NotFound):
        page_links.read(sealed, endpoint=endpoint)
    settings.CREDENTIALS_KEYS = former
