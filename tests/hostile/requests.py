"""Hostile HTTP requests to the hub, as bytes, one kind for each entry point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from ocpi.transport.authorization import header
from ocpi.types import PartyRef
from ocpi.versions import VERSIONS
from tests.hostile import material

_METHODS = (b"GET", b"GET", b"PUT", b"PUT", b"PUT", b"PATCH", b"POST", b"DELETE", b"OPTIONS", b"X")
_TYPES = (b"application/json", b"text/xml", b"multipart/form-data; boundary=x", b"")
ENDPOINTS: Sequence[tuple[bytes, tuple[tuple[str, ...], ...]]] = tuple(
    (
        f"/ocpi/{version}/{role.lower()}/{identifier}".encode(),
        tuple(resource.path for resource in interface.resources),
    )
    for version, declared in VERSIONS.items()
    for identifier, module in declared.modules.items()
    if module.functional
    for role, interface in module.interfaces.items()
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends them: a party with its token, and to whom else it may write."""

    party: PartyRef
    token: str
    host: str
    others: tuple[PartyRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Console:
    """An operator's session, and the pages that were found in it."""

    host: str
    cookies: str
    csrf: str
    pages: tuple[str, ...]
    forms: tuple[str, ...]


def write(method: bytes, target: bytes, lines: Sequence[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Write a request whose length is true."""
    head = b"".join(b"%b: %b\r\n" % line for line in lines)
    return b"%b %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
        method,
        target,
        head,
        len(body),
        body,
    )


def functional(chance: Random, sender: Sender) -> bytes:
    """Return a message of a registered platform to any functional module."""
    base, paths = chance.choice(ENDPOINTS)
    steps = [_step(chance, name, sender) for name in chance.choice(paths)]
    if chance.random() < 0.1:
        steps += [material.step(chance)] * chance.choice((1, 3, 50))
    target = b"/".join((base, *steps))
    target += b"?" + material.query(chance) if chance.random() < 0.3 else b""
    body = material.json(chance)
    return write(chance.choice(_METHODS), target, _lines(chance, sender), body)


def stranger(chance: Random, sender: Sender) -> bytes:
    """Return the same with a token that nobody gave out, in a party's name."""
    impostor = Sender(sender.party, f"guess-{chance.random()}", sender.host, sender.others)
    return functional(chance, impostor)


def configuration(chance: Random, sender: Sender) -> bytes:
    """Return a request to versions, version details or credentials."""
    version = chance.choice((b"2.2.1", b"2.2", b"9", material.step(chance)))
    paths = (b"/ocpi/versions", b"/ocpi/%b" % version, b"/ocpi/%b/credentials" % version)
    methods = (b"GET", b"GET", b"PATCH", b"PUT", b"POST", b"X")
    body = chance.choice((material.json(chance), _credentials(chance)))
    return write(chance.choice(methods), chance.choice(paths), _lines(chance, sender), body)


def results(chance: Random, sender: Sender) -> bytes:
    """Return the result of a command nobody gave, or of one of somebody else."""
    module = chance.choice((b"commands", b"chargingprofiles"))
    reference = chance.choice((material.step(chance), chance.randbytes(16).hex().encode()))
    target = b"/ocpi/2.2.1/sender/%b/%b" % (module, reference)
    return write(b"POST", target, _lines(chance, sender), material.json(chance))


def relayed(chance: Random, sender: Sender) -> bytes:
    """Return a right request to a party whose answers are hostile."""
    target, method, body = chance.choice(
        (
            (b"/ocpi/2.2.1/sender/locations/L%d" % chance.randrange(9), b"GET", b""),
            (b"/ocpi/2.2.1/sender/tokens/T%d/authorize" % chance.randrange(9), b"POST", b""),
            (b"/ocpi/2.2.1/sender/tariffs?limit=3", b"GET", b""),
            (b"/ocpi/2.2.1/receiver/tokens/BE/MIX/T1", b"GET", b""),
            (b"/ocpi/2.2.1/receiver/sessions/BE/MIX/S1", b"GET", b""),
        )
    )
    lines = [(b"X-Request-ID", b"r"), *_honest(sender, sender.others[0])]
    return write(method, target, lines, body)


def malformed(chance: Random, sender: Sender) -> bytes:
    """Return what is no HTTP, or only nearly."""
    good = functional(chance, sender)
    return chance.choice(
        (
            good.replace(b"HTTP/1.1", b"HTTP/9.9", 1),
            good.replace(b"\r\n", b"\n", 3),
            good.replace(b"Content-Length: ", b"Content-Length: -", 1),
            good.replace(b"Host: ", b"Host : ", 1),
            good.replace(b" HTTP", b"\x00 HTTP", 1),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(100),
            b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n" % (b"f" * 18),
            b"GET /" + b"a" * chance.choice((5_000, 60_000)) + b" HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * chance.choice((50, 5_000)) + b"\r\n",
            chance.randbytes(300) + b"\r\n\r\n",
        )
    )


def public(chance: Random, sender: Sender) -> bytes:
    """Return a stranger's request outside OCPI: start page, files, the console's door."""
    paths = (
        b"/",
        b"/static/",
        b"/admin/",
        b"/admin/login/",
        b"/favicon.ico",
        b"/admin/two-factor/",
    )
    target = chance.choice(paths) + material.step(chance) * chance.randint(0, 2)
    target += b"?next=" + material.step(chance) if chance.random() < 0.5 else b""
    lines = [(b"Host", chance.choice((sender.host.encode(), material.header(chance))))]
    return write(chance.choice((b"GET", b"HEAD", b"POST")), target, lines, b"username=a&password=b")


def console_pages(chance: Random, console: Console) -> bytes:
    """Return an operator's request for a page, its parameters hostile."""
    page = chance.choice(console.pages).partition("?")[0].encode()
    if chance.random() < 0.3:
        page = page.rstrip(b"/") + b"/" + material.step(chance) + b"/change/"
    return write(b"GET", page + b"?" + material.query(chance), _operator(console), b"")


def console_forms(chance: Random, console: Console) -> bytes:
    """Return an operator's form or file, its fields hostile."""
    boundary = b"hostile"
    names = (
        b"file",
        b"name",
        b"cpo",
        b"emsp",
        b"module",
        b"reason",
        b"versions_url",
        b"roles",
        b"country_code",
    )
    parts = [
        b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (boundary, name, b'; filename="f.csv"' * (name == b"file"), _field(chance, name))
        for name in chance.sample(names, 5)
    ]
    lines = [*_operator(console), (b"Content-Type", b"multipart/form-data; boundary=hostile")]
    body = b"".join(parts) + b"--hostile--\r\n"
    return write(b"POST", chance.choice(console.forms).encode(), lines, body)


def _field(chance: Random, name: bytes) -> bytes:
    return material.csv(chance) if name == b"file" else material.word(chance)


def _operator(console: Console) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", console.host.encode()),
        (b"Cookie", console.cookies.encode()),
        (b"X-CSRFToken", console.csrf.encode()),
    ]


def _step(chance: Random, name: str, sender: Sender) -> bytes:
    """Return a step of a path: right more often than not, so that what follows is reached."""
    right = {
        "{country_code}": sender.party.country_code.encode(),
        "{party_id}": sender.party.party_id.encode(),
    }
    usual = right.get(
        name, b"M%d" % chance.randrange(50) if name.startswith("{") else name.encode()
    )
    return usual if chance.random() < 0.8 else material.step(chance)


def _lines(chance: Random, sender: Sender) -> list[tuple[bytes, bytes]]:
    to = chance.choice((PartyRef("NL", "HUB"), PartyRef("NL", "HUB"), *sender.others))
    lines = _honest(sender, to)
    if chance.random() < 0.25:
        place = chance.randrange(2, len(lines))
        lines[place] = (lines[place][0], material.header(chance))
    lines += [
        (b"X-Request-ID", b"r%d" % chance.randrange(10**6)),
        (b"X-Correlation-ID", b"hostile"),
    ]
    return [*lines, (b"Content-Type", chance.choice(_TYPES))]


def _honest(sender: Sender, to: PartyRef) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", sender.host.encode()),
        (b"Authorization", header(sender.token).encode()),
        (b"OCPI-from-country-code", sender.party.country_code.encode()),
        (b"OCPI-from-party-id", sender.party.party_id.encode()),
        (b"OCPI-to-country-code", to.country_code.encode()),
        (b"OCPI-to-party-id", to.party_id.encode()),
    ]


def _credentials(chance: Random) -> bytes:
    role = b'{"role":"CPO","country_code":"%b","party_id":"%b","business_details":{"name":"x"}}'
    roles = b",".join(
        [role % (material.step(chance)[:4], material.step(chance)[:5])] * chance.choice((1, 300))
    )
    return b'{"token":"%b","url":"%b","roles":[%b]}' % (
        material.step(chance),
        _address(chance),
        roles,
    )


def _address(chance: Random) -> bytes:
    return chance.choice(
        (b"http://127.0.0.1:9/ocpi", b"https://0x7f000001/", b"http://[::ffff:127.0.0.1]/", b"x")
    )


Make = Callable[[Random, Sender], bytes]
BY_PLATFORMS: dict[str, tuple[Make, int]] = {
    "functional modules": (functional, 52),
    "strangers": (stranger, 20),
    "versions and credentials": (configuration, 8),
    "results": (results, 6),
    "relayed, answered by a hostile peer": (relayed, 6),
    "malformed HTTP": (malformed, 4),
    "outside OCPI": (public, 3),
}
"""What of a hundred inputs each kind is; the console's come on top."""
