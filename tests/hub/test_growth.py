"""Work grows with the input and never faster: every reader of foreign text, in every hostile shape.

Measured is the time of this thread and the memory it takes, for a size and for eight times as much:
what is quadratic takes 64 times as long, what is linear eight times. Short times say nothing, and
a machine may be busy, so a shape is tried again before it counts as growing.
"""

import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from io import StringIO

import msgspec
import pytest
from django.http import HttpRequest, QueryDict

from console import charging_periods
from console.base import laid_out
from hub.gateway import page_links, response_url_parameter
from hub.masking.masked_rows import masked_dead_letter, masked_object
from hub.masking.personal import (
    mask_in_text,
    mask_json,
    mask_member,
    personal_members,
    personal_values,
)
from hub.message_log import curl, rows
from hub.message_log.endpoints import Endpoint, Endpoints
from hub.message_log.entry import Entry, LoggedBody
from hub.models import DeadLetter, Exchange, PullState, Quarantined, Subscription
from hub.pull import pagination
from hub.store import merge, raw_json
from hub.store.reads import cursor_reader
from ocpi.client import Reply
from ocpi.errors import OcpiError
from ocpi.transport import envelope, paths
from ocpi.transport.authorization import candidates
from ocpi.transport.message_ids import MessageIds
from ocpi.transport.pagination import PageRequest, read_link
from ocpi.transport.routing_headers import RoutingHeaders
from ocpi.types import PartyRef
from ocpi.validation import decode, validate
from ocpi.versions import VERSIONS
from parties import agreement_csv
from parties.registration import discovery
from parties.registration.credentials_object import Offer
from rating import CdrText, rate
from tests.hub.store.write_requests import location_write

Run = Callable[[str], object]

SIZE, TIMES = 4_000, 8
SLOWER = 20
"""So much longer may eight times as much take, beyond …"""
FLOOR = 0.06
"""… these seconds, in which a machine does anything."""
MEMORY = 400
"""Bytes for each of the input, beyond …"""
MEMORY_FLOOR = 3_000_000
ATTEMPTS = 4


def _repeated(text: str) -> Run:
    return lambda size: (text * (int(size) // len(text) + 1))[: int(size)]


def _numbered(text: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """Repeat a text with another number each time."""

    def made(size: int) -> str:
        one = len(text.format(10_000))
        return before + "".join(text.format(each) for each in range(size // one)) + after

    return made


def _same(text: str, before: str = "", after: str = "") -> Callable[[int], str]:
    return lambda size: before + text * (size // len(text)) + after


def _nested(opening: str, closing: str, depth: int) -> Callable[[int], str]:
    """Nest as deeply as is read, again and again."""
    one = opening * depth + "1" + closing * depth + ","
    return lambda size: "[" + one * (size // len(one)) + "1]"


def _alike(size: int) -> str:
    """Make uids that begin alike, and a text that begins like all of them."""
    number = int(size**0.5)
    uids = ",".join(f'{{"uid":"{"a" * each}b"}}' for each in range(8, number))
    return f'[{uids},"{"a" * size}"]'


JSON = {
    "bottomless": _same("["),
    "nested lists": _nested("[", "]", 100),
    "nested objects": _nested('{"uid":', "}", 100),
    "nested names": _nested('{"' + "n" * 200 + '":', "}", 100),
    "empty objects": _same("{},", '{"evses":[', "{}]}"),
    "empty lists": _same("[],", '{"evses":[', "[]]}"),
    "members": _numbered('"m{}":1,', "{", '"m":1}'),
    "one member": _same('"uid":"12345678",', "{", '"uid":1}'),
    "uids": _numbered('{{"uid":"Uid-{:05d}-xyz"}},', '{"charging_periods":[', "{}]}"),
    "uids that begin alike": _alike,
    "tokens and quotes of them": _numbered('{{"uid":"U{0:09d}","x":"U{0:09d}"}},', "[", "1]"),
    "escapes": _same("\\u0041\\n", '{"uid":"', '"}'),
    "escaped names": _same('"\\u0075id":"ABCDEFGH",', '{"publish_allowed_to":[{', '"a":1}]}'),
    "letters of names": _numbered('"M{0}":1,"m{0}":1,', "{", '"m":1}'),
    "string": _same("a", '{"uid":"', '"}'),
    "unicode": _same("é😀İς", '{"uid":"', '"}'),
    "number": _same("1", '{"uid":', "}"),
    "numbers": _same("1e30,-0.5,", '{"uid":[', "1]}"),
    "whitespace": _same(" \n\t", '{"uid"', ':"12345678"}'),
    "quotes": _same('"'),
    "backslashes": _same("\\"),
    "names without end": _same('"uid" '),
    "names with space behind": _same('"uid"            '),
    "lists in a list": _same('"publish_allowed_to":['),
    "control": _same("\x00\x1f\x7f\u2028"),
    "unpublished": _same('"publish"    '),
}
TEXTS = {
    "steps": _numbered("Xx{:05d}y/", "/ocpi/2.2.1/receiver/tokens/"),
    "steps nowhere": _numbered("Xx{:05d}y/", "/ocpi/none/"),
    "slashes": _same("/"),
    "parameters": _numbered("a{}=1&", "/ocpi/2.2.1/sender/locations?"),
    "one parameter": _same("response_url=http://x/&", "?"),
    "encoded": _same("%41%3F%26", "/ocpi/2.2.1/receiver/tokens/DE/MSA/"),
    "encoded again": _same("%25"),
    "percents": _same("%"),
    "links": _numbered('<https://x/{}>;rel="prev",'),
    "open links": _same("<"),
    "rels": _same(";rel=", "<https://x>"),
    "spaces": _same(" ", "<https://x>;rel"),
    "tabs": _same("\t", "Token", "x"),
    "base64": _same("QUJD", "Token ", "="),
    "commas": _same(","),
    "cells": _same('"",'),
    "open cell": _same("\n", '"'),
    "doubled quotes": _same('""', 'cpo,emsp\n"'),
    "lines": _same("NL-CPA,DE-MSA\n", "cpo,emsp\n"),
    "columns": _numbered("c{},", "cpo,emsp,", "\n"),
    "digits": _same("1"),
    "dashes": _same("-"),
    "letters": _same("a"),
    "letters and one": _same("a", "", "!"),
    "controls": _same("\x00\r\n\x1b"),
    "unicode": _same("é😀\ud800"),
}
SHAPES = {**JSON, **{f"text: {name}": made for name, made in TEXTS.items()}}

# --- what reads it -------------------------------------------------------------------------------

ENTRY = Entry(
    is_inbound=True,
    at=1_800_000_000.0,
    seconds=0.1,
    method="POST",
    url="/ocpi/2.2.1/receiver/cdrs",
    headers={},
    request=LoggedBody.of(b"", 0),
    response=LoggedBody.of(b"", 0),
    platform="P",
)
KNOWN = Endpoints(
    {"https://peer/ocpi/tokens": [Endpoint("https://peer/ocpi/tokens", module="tokens")]}
)
MODELS = {
    str(name): module.kept
    for name, module in VERSIONS["2.2.1"].modules.items()
    if module.kept is not None
}


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _validated(text: str) -> None:
    """Read it as every object there is, and as the lists inside of each."""
    for kind in MODELS.values():
        value = decode(_bytes(text))
        with suppress(OcpiError):
            validate(kind.model, value)
        for name in kind.model.model_fields if isinstance(value, list) else ():
            with suppress(OcpiError):
                validate(kind.model, {name: value})


def _planned(text: str) -> None:
    merge.replacement(location_write("PUT", "L1", body=_bytes(text)))


def _merged(text: str) -> None:
    target, patch = {"a": _bytes(text)}, raw_json.members(_bytes(text))
    part = MODELS["locations"].part
    raw_json.merged({**target, **patch}, patch, part=part, appended=frozenset({"charging_periods"}))


def _logged(module: str, interface: str = "receiver") -> Run:
    """Log it as a body, cut and whole, in both directions."""

    def run(text: str) -> None:
        body, url = _bytes(text), f"/ocpi/2.2.1/{interface}/{module}/NL/CPA/L1"
        for most in (len(body), len(body) - 7):
            cut = LoggedBody.of(body, most)
            rows.masked_row(replace(ENTRY, url=url, request=cut, response=cut), KNOWN)

    return run


def _logged_url(text: str) -> None:
    for entry in (
        replace(ENTRY, url=text),
        replace(ENTRY, url=f"https://peer/ocpi/tokens/{text}", is_inbound=False),
        replace(ENTRY, url=text, is_inbound=False, error=text, secrets=(text, "secret")),
        replace(ENTRY, headers={"OCPI-to-party-id": text, "X-Request-ID": text}, method=text),
    ):
        rows.masked_row(entry, KNOWN)


def _headers(text: str) -> None:
    given = dict.fromkeys(("OCPI-to-party-id", "OCPI-from-country-code", "X-Request-ID"), text)
    MessageIds.read(given)
    candidates(text)
    candidates(f"Token {text}")
    reply = Reply(200, {"Retry-After": text, "Link": text}, _bytes(text), 0.1)
    assert reply.retry_after is None or reply.retry_after >= 0
    RoutingHeaders.read(given)


def _query(text: str) -> None:
    with suppress(OcpiError):
        PageRequest.read(dict.fromkeys(("date_from", "offset", "limit", "cursor"), text))
    with suppress(OcpiError):
        cursor_reader(text)
    with suppress(OcpiError):
        page_links.read(text, endpoint="https://hub/")
    response_url_parameter.split(text)
    response_url_parameter.split(f"response_url={text}")
    response_url_parameter.others_in_query(text[: len(text) // 4])  # a URL is never as long
    QueryDict(text[:50])


def _path(text: str) -> None:
    request = HttpRequest()
    request.META = {"RAW_URI": text.encode("latin-1", "replace").decode("latin-1")}
    paths.segments(paths.raw_path(request))


def _link(text: str) -> None:
    read_link(text, base_url="https://peer/ocpi/locations")
    listing = pagination.Listing("https://peer/ocpi/locations", None, 100)
    paging = pagination.PagingInfo(1, text, 10, 10)
    pagination.continuation(listing, pagination.at(listing), paging, visited=set())


def _csv(text: str) -> None:
    with suppress(ValueError):
        for line, row in agreement_csv._rows(StringIO(text), 100_000):
            with suppress(ValueError):
                PartyRef.parse(f"{line}{row}")


def _answer(text: str) -> None:
    for body in (_bytes(text), b'{"status_code":1000,"data":%b}' % _bytes(text)):
        envelope.read(body)
        with suppress(OcpiError):
            data = discovery.data_of(Reply(200, {}, body, 0.1), "GET")
            discovery._details_urls(data, "https://peer")
            discovery._endpoints(data, VERSIONS["2.2.1"], roles=frozenset(), url="https://peer")
        raw_json.has_more(b"[%b]" % body, 1)
        with suppress(msgspec.DecodeError, RecursionError):
            raw_json.items(_bytes(text))
    Offer.read(_bytes(text), VERSIONS["2.2.1"])


def _shown(text: str) -> None:
    """Show it in the console as any of its pages does."""
    body = _bytes(text)
    laid_out(body)
    mask_in_text(text, personal_values(mask_json(body)) | personal_values(body))
    mask_member(body, "publish_allowed_to")
    personal_members(body)
    row = Exchange(method="PUT", path=text, request_body=text, direction="in", endpoint="/ocpi")
    curl.as_curl(row)


def _masked_rows(text: str) -> None:
    for module in ("tokens", "locations"):
        subscription = Subscription(module=module)
        masked_dead_letter(DeadLetter(subscription=subscription, path=text, body=text, reason=text))
        pull = PullState(module=module)
        masked_object(Quarantined(pull=pull, object_id=text, text=text, findings=text))


def _drawn(text: str) -> None:
    value = json.loads(text)
    charging_periods.chart({"charging_periods": value})
    charging_periods.chart(
        value if isinstance(value, dict) else {"charging_periods": [{"dimensions": value}]}
    )


def _rated(text: str) -> None:
    """Price it: as a CDR, and as the tariffs and periods of one."""
    rate(CdrText(text)).to_bytes()
    times = '"start_date_time":"2026-03-02T08:00:00Z","end_date_time":"2026-03-02T09:00:00Z"'
    rate(CdrText(f'{{{times},"tariffs":{text},"charging_periods":{text}}}')).to_bytes()


READERS: dict[str, Run] = {
    "bodies": _validated,
    "objects": _planned,
    "changes": _merged,
    "the log of tokens": _logged("tokens"),
    "the log of locations": _logged("locations"),
    "the log of CDRs": _logged("cdrs"),
    "the log's URLs": _logged_url,
    "headers": _headers,
    "queries": _query,
    "spellings of response_url": lambda text: response_url_parameter.others_in_body(_bytes(text)),
    "paths": _path,
    "links": _link,
    "agreements": _csv,
    "answers": _answer,
    "pages": _shown,
    "what is set aside": _masked_rows,
    "charts": _drawn,
    "prices": _rated,
}


def _read(reader: Run, text: str) -> None:
    """Read it; a refusal is as good as anything."""
    with suppress(OcpiError, ValueError, RecursionError):
        reader(text)


def _seconds(reader: Run, text: str) -> float:
    start = time.thread_time()
    _read(reader, text)
    return time.thread_time() - start


def _grows(reader: Run, made: Callable[[int], str]) -> str:
    """Tell how fast it grows if that is too fast in every attempt."""
    small, large = made(SIZE), made(SIZE * TIMES)
    first = later = float("inf")
    for _ in range(ATTEMPTS):
        later = min(later, _seconds(reader, large))
        if later <= FLOOR:
            return ""
        first = min([first, *(_seconds(reader, small) for _ in range(3))])
        if later <= SLOWER * first + FLOOR:
            return ""
    return f"{first:.3f} s become {later:.3f} s"


def _memory(reader: Run, made: Callable[[int], str]) -> str:
    large = made(SIZE * TIMES)
    tracemalloc.start()
    try:
        _read(reader, large)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    most = MEMORY * len(large) + MEMORY_FLOOR
    return f"{peak:,} bytes for {len(large):,}" if peak > most else ""


@pytest.mark.security("S-01", "S-04", "S-06")
@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_input(name: str) -> None:
    """Eight times as much of any shape takes about eight times as long."""
    found = {shape: _grows(READERS[name], made) for shape, made in SHAPES.items()}
    assert {shape: growth for shape, growth in found.items() if growth} == {}


@pytest.mark.security("S-04", "S-06")
@pytest.mark.parametrize("name", READERS)
def test_memory_grows_with_the_input(name: str) -> None:
    """No shape takes a multiple of its own size that another does not."""
    few = ("nested lists", "empty objects", "uids", "members", "escapes", "text: steps")
    found = {shape: _memory(READERS[name], SHAPES[shape]) for shape in few}
    assert {shape: growth for shape, growth in found.items() if growth} == {}
