"""The checklist of real handshakes: with sandbox platforms over real HTTP, and their log."""

import pytest

from hub.onboarding import Checklist, State, read
from ocpi.errors import OcpiError
from ocpi.transport import envelope
from parties.connection_status import ConnectionStatus
from parties.models import Platform
from parties.registration.inbound import disconnect
from parties.registration.invitation import AllowedRole, invite, prepare
from parties.registration.outbound import register, renew_tokens
from sandbox.client import Refused
from sandbox.misbehaviour import say
from tests.cast import Cast
from tests.hub.message_log.conftest import Logged
from tests.parties.commands import run, run_json
from tests.parties.wire import Wire

LISTS = [AllowedRole.parse(text) for text in ("CPO:NL:CPA", "CPO:NL:CPB")]


@pytest.fixture(autouse=True)
def _log(logged: Logged) -> Logged:
    return logged


def checked(logged: Logged) -> Checklist:
    """Return the checklist of P1 once the log is written."""
    logged()
    return read(Platform.objects.get(name="P1"))


def states(checklist: Checklist) -> list[str]:
    """Return the state of each step."""
    return [step.state.value for step in checklist.steps]


def test_an_invited_platform_waits(cast: Cast, logged: Logged) -> None:
    """Before the first call every step waits."""
    cast.token_a("P1")
    assert set(states(checked(logged))) == {State.WAITING}


def test_a_registered_platform_only_waits_for_its_pull(cast: Cast, logged: Logged) -> None:
    """After the handshake every step but the pull is done, with its exchange behind it."""
    cast["P1"]
    checklist = checked(logged)
    assert states(checklist)[:-1] == ["done"] * (len(checklist.steps) - 1)
    assert [len(step.exchanges) for step in checklist.steps[1:6]] == [1] * 5
    assert len({step.exchanges[0].correlation_id for step in checklist.steps[3:6]}) == 1


def test_a_failed_callback_is_told_where_it_failed(cast: Cast, logged: Logged) -> None:
    """The step of the callback says what the platform answered, and the POST how that ended."""
    platform, token = cast.start("P1"), cast.token_a("P1")
    with platform.answer("GET", say(500, b"{}")), pytest.raises(Refused):
        platform.register_with(cast.versions_url, token)
    wrong = [step for step in checked(logged).steps if step.state is State.WRONG]
    assert [step.title for step in wrong] == [
        "Its versions read by the hub",
        "Credentials exchanged",
    ]
    assert wrong[0].sentence.startswith("HTTP 500.")
    platform.register_with(cast.versions_url, token)
    assert State.WRONG not in states(checked(logged))


def test_a_stranger_may_be_the_platform(cast: Cast, logged: Logged) -> None:
    """A call with an unknown token is shown where the token is awaited."""
    cast.token_a("P1")
    Wire(cast.versions_url).get(token="wrong-token")
    step = checked(logged).steps[0]
    assert (step.state, step.exchanges[0].http_status) == (State.CARE, 401)


def test_a_token_in_the_wrong_form_is_named(cast: Cast, logged: Logged) -> None:
    """Without Base64 where that is not taken: the step says what the platform was told."""
    token = cast.token_a("P1", "raw_token=off")
    Wire(cast.versions_url).send("GET", authorization=f"Token {token}")
    step = checked(logged).steps[1]
    assert step.state is State.WRONG
    assert "the token looks un-encoded" in step.sentence


def test_the_hub_starts(cast: Cast, logged: Logged) -> None:
    """The hub's own handshake has its steps, wrong first, then done."""
    platform = cast.start("P1")
    row = prepare("P1", roles=LISTS)
    with pytest.raises(OcpiError):
        register(row, versions_url=platform.url, token_a="wrong")
    assert states(checked(logged))[0] == State.WRONG
    register(row, versions_url=platform.url, token_a=platform.invite())
    checklist = checked(logged)
    assert (checklist.starts, states(checklist)[:3]) == ("hub", ["done"] * 3)
    assert [row.method for step in checklist.steps[:3] for row in step.exchanges] == [
        "GET",
        "GET",
        "POST",
    ]


def test_a_rotation_begins_no_other_handshake(cast: Cast, logged: Logged) -> None:
    """New tokens leave the checklist with the exchanges of the registration."""
    cast["P1"]
    before = [row.pk for step in checked(logged).steps for row in step.exchanges]
    renew_tokens(Platform.objects.get())
    assert before == [row.pk for step in checked(logged).steps for row in step.exchanges]


@pytest.mark.parametrize("status", [ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED])
def test_a_new_invitation_begins_anew(cast: Cast, logged: Logged, status: ConnectionStatus) -> None:
    """What an ended registration left in the log says nothing of the next one."""
    cast["P1"]
    logged()
    platform = Platform.objects.get()
    disconnect(platform, status=status)
    assert not any(step.exchanges for step in checked(logged).steps)
    invite("P1", roles=(), reset=True)
    assert not any(step.exchanges for step in checked(logged).steps)


def test_the_command_tells_the_same(cast: Cast, logged: Logged) -> None:
    """`onboarding` says each step, and ends with 1 while one waits."""
    cast["P1"]
    logged()
    result = run_json("onboarding", "P1", code=1)
    assert (result["status"], result["complete"], result["starts"]) == (
        "CONNECTED",
        False,
        "platform",
    )
    Platform.objects.update(quirks={"pull": False})
    assert run_json("onboarding", "P1", "--wait", "5")["complete"]
    assert "✓ First pull: It is not pulled" in run("onboarding", "P1")


VERSIONS, DETAILS = "Its versions read by the hub", "Its version details read by the hub"
ENDPOINTS = b'[{"identifier":"credentials","role":"SENDER","url":"http://a/c"}]'


def _wrong(checklist: Checklist) -> dict[str, str]:
    return {step.title: step.sentence for step in checklist.steps if step.state is State.WRONG}


def _registering(cast: Cast, path: str, data: bytes) -> None:
    """Have the hub register with a platform that answers these data at a path, as a success."""
    platform = cast.start("P1")
    row = prepare("P1", roles=LISTS)
    answer = say(200, envelope.render(data=data))
    with platform.answer(path, answer), pytest.raises(OcpiError):
        register(row, versions_url=platform.url, token_a=platform.invite())


@pytest.mark.parametrize(
    "answer,title,reason",
    [
        (("GET /versions", b"[]"), VERSIONS, "a list of {version, url} was expected"),
        (("GET /versions", b'[{"version":"2.1.1","url":"http://a/"}]'), VERSIONS, "2.1.1"),
        (("GET /2.2.1", ENDPOINTS), DETAILS, "an object with endpoints was expected"),
        (("POST", b'{"token":"abc"}'), "Credentials exchanged", "roles"),
        (("POST", b"null"), "Credentials exchanged", "no data"),
    ],
)
def test_a_step_whose_answer_cannot_be_used_has_failed(
    cast: Cast, logged: Logged, answer: tuple[str, bytes], title: str, reason: str
) -> None:
    """Whatever codes stand over it; the step says why, and no other step is blamed."""
    _registering(cast, *answer)

    wrong = _wrong(checked(logged))

    assert list(wrong) == [title]
    assert reason in wrong[title]


def test_details_that_are_a_bare_list_fail_where_the_platform_starts(
    cast: Cast, logged: Logged
) -> None:
    """In the step in which the hub read them, and in the platform's POST, which ended with it."""
    platform, token = cast.start("P1"), cast.token_a("P1")
    with platform.answer("GET /2.2.1", say(200, ENDPOINTS)), pytest.raises(Refused):
        platform.register_with(cast.versions_url, token)

    wrong = _wrong(checked(logged))

    assert list(wrong) == [DETAILS, "Credentials exchanged"]
    assert "an object with endpoints was expected" in wrong[DETAILS]
