"""Requests to the hub, made from templates before anything is measured."""

from collections.abc import Iterable

from bench.environment import Ground
from bench.load import request
from bench.objects import Template
from ocpi.types import InterfaceRole


def original(ground: Ground, template: Template) -> bytes:
    """Write the request about the template itself."""
    return _request(ground, template, template.path, template.body)


def shots(
    ground: Ground, template: Template, numbers: Iterable[int], *, since: int = 0
) -> list[bytes]:
    """Write requests about these objects, each a second younger than the one before."""
    return [
        _request(ground, template, *template.numbered(number, moment))
        for moment, number in enumerate(numbers, start=since + 1)
    ]


def _request(ground: Ground, template: Template, path: str, body: bytes) -> bytes:
    endpoint = ground.endpoint(InterfaceRole.RECEIVER, template.module)
    url = f"{endpoint}/{path}" if path else endpoint
    return request(template.method, url, ground.headers(template.owner), body)
