"""What hostile messages are made of: words, JSON texts, URLs, header values, CSV.

All of it follows from a `random.Random`: the same seed gives the same inputs.
"""

from collections.abc import Callable, Sequence
from random import Random
from urllib.parse import quote_from_bytes

from tests.hub.gateway.mutants import Mutants
from tests.hub.samples import SAMPLES

WORDS: Sequence[bytes] = (
    *(b"", b" ", b"\t", b"%", b"%zz", b"%00", b"%2F", b"%2e%2e", b"..", b"*", b"'", b'"', b"\\"),
    *(b"'; DROP TABLE hub_location;--", b"<script>alert(1)</script>", b"{{7*7}}", b"${7*7}"),
    *(b"%s%s%n", b"=1+1", b"@x", b"-1", b"0", b"1e400", b"NaN", b"null", b"true", b"[]", b"{}"),
    *(b"9" * 40, b"2026-02-30T25:61:61Z", b"9999-12-31T23:59:60Z", b"0001-01-01T00:00:00Z"),
    *(b"NL", b"nl", b"NLX", b"CPA", b"DE", b"BAD", b"HUB", b"L1", b"LOCATION", b"RFID", b"cursor"),
    *("é€😀".encode(), "\u202egnp.exe".encode(), b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\x1b[2J"),
    *(b"http://127.0.0.1:1/x", b"https://[::1]/", b"file:///etc/passwd", b"gopher://x/", b"//evil"),
    *(b"a" * size for size in (65, 256, 1_000)),
)
_NAMES = (
    b"id",
    b"uid",
    b"evses",
    b"status",
    b"last_updated",
    b"party_id",
    b"\\u0069d",
    b"ID",
    b"x",
)


def word(chance: Random) -> bytes:
    """Return one hostile word, or two of them together."""
    return b"".join(chance.choices(WORDS, k=chance.randint(1, 2)))


def step(chance: Random) -> bytes:
    """Return one step of a path, its reserved characters encoded or not."""
    text = word(chance)[: chance.choice((10, 60, 300))]
    if chance.random() < 0.3:
        return bytes(each for each in text if 0x20 < each < 0x7F and each != ord("#"))
    return quote_from_bytes(text, safe="").encode()


def query(chance: Random) -> bytes:
    """Return a query string, also one of parameters the hub knows."""
    known = (
        b"offset",
        b"limit",
        b"date_from",
        b"date_to",
        b"cursor",
        b"type",
        b"hub_page",
        b"q",
        b"o",
    )
    pairs = (
        b"%b=%b" % (chance.choice((*known, step(chance))), step(chance))
        for _ in range(chance.randint(1, 6))
    )
    many = b"&".join(b"a=%d" % number for number in range(chance.choice((0, 0, 0, 0, 300))))
    return b"&".join((*pairs, many))


def header(chance: Random) -> bytes:
    """Return a header value: no line breaks, which would be another header."""
    return word(chance).translate(None, b"\r\n\0")[:500]


def csv(chance: Random) -> bytes:
    """Return a file of agreements, more or less."""
    head = chance.choice((b"cpo,emsp,state,valid_from,valid_until,modules", b"", b"a;b", b'"'))
    rows = (b",".join(word(chance)[:80] for _ in range(chance.randint(1, 8))) for _ in range(20))
    return b"\n".join((head, *rows)) * chance.choice((1, 1, 1, 20))


# --- JSON ---------------------------------------------------------------------------------------

_MUTANTS = [(sample, Mutants(sample)) for sample in SAMPLES]


def _mutated(chance: Random) -> bytes:
    sample, mutants = chance.choice(_MUTANTS)
    return mutants[chance.randrange(len(mutants))].text(sample, f"M{chance.randrange(50)}")


def _wide(chance: Random) -> bytes:
    size = chance.choice((10, 100, 1_000, 5_000))
    member = chance.choice((b"evses", b"connectors", b"charging_periods", b"elements", b"images"))
    return b'{"id":"W","%b":[%b]}' % (
        member,
        b",".join([chance.choice((b"{}", b"null", b"[]", b'""'))] * size),
    )


def _deep(chance: Random) -> bytes:
    depth = chance.choice((50, 500, 5_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return b'{"id":' + opening * depth + b"1" + closing * depth + b"}"


def _many_members(chance: Random) -> bytes:
    return b"{%b}" % b",".join(b'"m%d":%d' % (n, n) for n in range(chance.choice((100, 5_000))))


def _repeated(chance: Random) -> bytes:
    names = chance.choices(_NAMES, k=chance.randint(2, 40))
    return b"{%b}" % b",".join(b'"%b":"%d"' % (name, place) for place, name in enumerate(names))


def _long(chance: Random) -> bytes:
    letters = chance.choice((b"x", b"\\u0041", "é".encode(), b"9", b"\\\\", b" "))
    return b'{"id":"%b"}' % (letters * chance.choice((1_000, 20_000)))


def _number(chance: Random) -> bytes:
    return b'{"kwh":%b}' % chance.choice((b"9" * 5_000, b"1e999", b"-0", b"0.%b1" % (b"0" * 3_000)))


def _words(chance: Random) -> bytes:
    names = (chance.choice(_NAMES) for _ in range(6))
    return b"{%b}" % b",".join(b'"%b":"%b"' % (name, word(chance)) for name in names)


def _garbage(chance: Random) -> bytes:
    return chance.choice(
        (
            b"",
            b"null",
            b"[",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\0}\0",
            b"{'a':1}",
            chance.randbytes(200),
        )
    )


_TEXTS: Sequence[Callable[[Random], bytes]] = (
    *([_mutated] * 12),
    *(_wide, _deep, _many_members, _repeated, _long, _number, _words, _words, _garbage),
)


def json(chance: Random) -> bytes:
    """Return the text of a hostile object: two thirds are right objects with one or two faults."""
    return chance.choice(_TEXTS)(chance)
