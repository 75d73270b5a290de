"""Where the CPU time of a message goes: to which layer it is counted, and how it is shown."""

from importlib.util import find_spec

import pytest

from bench.budget import Budget, tables
from bench.cpu import HUB, Part
from bench.sampled import LAYERS, Layer, layer_of


@pytest.mark.parametrize(
    "modules, layer",
    [
        (["psycopg.cursor", "database.sql", "hub.store.writes", "hub.views"], Layer.STORE),
        (["psycopg.cursor", "database.sql", "parties.authentication"], Layer.AUTHENTICATION),
        (["json.decoder", "ocpi.validation", "hub.gateway.body_check"], Layer.VALIDATION),
        (["hub.gateway.message", "hub.views"], Layer.MESSAGE),
        (["aiohttp.client", "ocpi.client.session", "hub.gateway.relay"], Layer.SENDING),
        (["hub.message_log.capture", "hub.gateway.relay"], Layer.LOG),
        (["asyncio.events", "threading"], Layer.SERVER),
    ],
)
def test_what_a_library_does_is_its_callers(modules: list[str], layer: Layer) -> None:
    """The innermost module of ours says for what it was done; where there is none, the server."""
    assert layer_of(modules) is layer


def test_layers_are_named_by_modules_that_are_there() -> None:
    """A module that was renamed would be counted elsewhere without a word."""
    assert [name for name in LAYERS if find_spec(name) is None] == []


def test_each_path_is_a_column() -> None:
    """Parts of the hub, not those who talk to it, and every layer."""
    parts = dict.fromkeys(Part, 10.0) | {Part.WEB: 1_234.0}
    layers = dict.fromkeys(Layer, 0.0) | {Layer.STORE: 56.7}
    text = tables([Budget("PUT", parts, layers), Budget("page", parts, layers)])

    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line[:1] == "|"}
    assert rows["web process"].count("1,234") == 2
    assert rows["store"].count("57") == 2
    assert rows.keys() >= {*HUB, *Layer}
    assert Part.CLIENT not in rows
