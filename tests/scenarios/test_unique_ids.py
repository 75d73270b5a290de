"""Sequence diagram "the uses of X-Request-ID and X-Correlation-ID in a topology with a Hub".

Spec: 2.2.1 transport and format, unique message ids (unqiue_ids_via_hub).

    CPO -> HUB: Request   774321, 123456     HUB -> MSP: Request   991234, 123456
    MSP -> HUB: Response  991234, 123456     HUB -> CPO: Response  774321, 123456
"""

import pytest

from ocpi.transport.message_ids import CORRELATION_ID, REQUEST_ID
from sandbox import Answer, SandboxPlatform
from tests.cast import MSA, a_location, push

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.mark.conformance("TF-87", "TF-88", "TF-89", "TF-90")
def test_each_hop_has_a_request_id_and_all_one_correlation_id(pair: Pair) -> None:
    """The hub asks under an id of its own, and answers under the CPO's."""
    cpo, emsp = pair
    answers: list[Answer] = []
    emsp.watchers.append(lambda _, answer: answers.append(answer))
    ids = {REQUEST_ID: "774321", CORRELATION_ID: "123456"}

    result = push(cpo, a_location(), to=MSA, **ids)

    [seen] = emsp.seen
    assert seen.headers[CORRELATION_ID] == "123456"
    assert seen.headers[REQUEST_ID] not in {"774321", "123456", ""}
    assert answers[-1].headers[REQUEST_ID] == seen.headers[REQUEST_ID]
    assert answers[-1].headers[CORRELATION_ID] == "123456"
    assert {name: result.headers[name] for name in ids} == ids
