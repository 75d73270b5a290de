"""Requests to the hub, made from templates before anything is measured."""

from collections.abc import Iterable

from bench.environment import Testbed
from bench.load import request
from bench.objects import Template
from ocpi.types import InterfaceRole


def original(testbed: Testbed, template: Template) -> bytes:
    """Write the request about the template itself."""
    return _request(testbed, template, template.path, template.body)


def shots(
    testbed: Testbed, template: Template, numbers: Iterable[int], *, since: int = 0
) -> list[bytes]:
    """Write requests about these objects, each with a `last_updated` a second after the last."""
    return [
        _request(testbed, template, *template.numbered(number, moment))
        for moment, number in enumerate(numbers, start=since + 1)
    ]


def _request(testbed: Testbed, template: Template, path: str, body: bytes) -> bytes:
    endpoint = testbed.endpoint(InterfaceRole.RECEIVER, template.module)
    url = f"{endpoint}/{path}" if path else endpoint
    return request(template.method, url, testbed.headers(template.owner), body)
