"""What a process remembers of the answers about parties, for how long, and how much of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from database import own_connection
from ocpi.errors import Unauthenticated
from ocpi.transport.authorization import header
from ocpi.types import ModuleID
from parties import access, connection_health, directory, epoch, outbound_auth, tokens
from parties.authentication import identify
from parties.connection_status import ConnectionStatus
from parties.directory import HEALTH_SECONDS, Memory, Question
from parties.epoch import Epoch
from parties.models import Credentials, Platform
from tests.factories import AgreementFactory, CredentialsFactory, PlatformFactory

LASTING = Epoch(1, float("inf"))
TOKEN = "a-token-that-is-long-enough"


@dataclass(frozen=True, slots=True)
class Asked(Question[str]):
    """A question whose answer is its own text."""

    text: str
    of: tuple[int, ...] = ()

    def ask(self) -> str:
        """Answer."""
        return self.text


def remember(memory: Memory, question: Asked, epoch: Epoch = LASTING, *, ago: float = 0) -> None:
    """Let a memory have an answer that was asked for so many seconds ago."""
    asked_at = time.monotonic() - ago
    memory.remember(question, question.ask(), epoch, asked_at=asked_at, platforms=question.of)


def test_an_answer_is_good_for_its_epoch_alone() -> None:
    """Another epoch has answers of its own, even one with the same number."""
    memory, question = Memory(), Asked("who")
    remember(memory, question)
    assert memory.known(question, LASTING) == "who"
    for other in (Epoch(1, float("inf")), Epoch(2, float("inf")), None):
        assert memory.known(question, other) is None


def test_an_answer_ends_with_the_moment_of_its_epoch() -> None:
    """What begins or ends by itself is not remembered over that moment."""
    memory, question = Memory(), Asked("who")
    over = Epoch(1, time.monotonic())
    remember(memory, question, over)
    assert memory.known(question, over) is None


def test_what_tells_of_a_connection_is_kept_for_a_second() -> None:
    """How a platform is connected changes without an epoch."""
    memory, question = Memory(), Asked("how", of=(1,))
    remember(memory, question, ago=HEALTH_SECONDS / 2)
    assert memory.known(question, LASTING) == "how"
    remember(memory, question, ago=HEALTH_SECONDS)
    assert memory.known(question, LASTING) is None


def test_what_was_noted_of_a_connection_ends_answers_of_before() -> None:
    """Those asked for before it, also if the answer came after it; no other platform's."""
    memory, one, other = Memory(), Asked("one", of=(1, 2)), Asked("other", of=(3,))
    remember(memory, one)
    remember(memory, other)
    memory.health_changed(2)
    assert (memory.known(one, LASTING), memory.known(other, LASTING)) == (None, "other")
    remember(memory, one, ago=0.1)
    assert memory.known(one, LASTING) is None
    remember(memory, one)
    assert memory.known(one, LASTING) == "one"


def test_it_holds_so_many_items_and_those_used_last() -> None:
    """Its size is bounded by what the answers hold; the least recently used goes first."""
    memory = Memory(most=8)
    used, unused = Asked("abc"), Asked("def")
    remember(memory, used)
    remember(memory, unused)
    assert memory.known(used, LASTING)
    for each in range(100):
        remember(memory, Asked(f"{each:03}"))
        assert memory.known(used, LASTING)
        assert memory.size <= 8
    assert memory.known(unused, LASTING) is None
    remember(memory, Asked("longer than everything together"))
    assert memory.size == 0


def test_an_answer_that_is_remembered_again_counts_once() -> None:
    """Each epoch's answer takes the place of the one before."""
    memory, question = Memory(), Asked("abc")
    for number in range(5):
        remember(memory, question, Epoch(number, float("inf")))
    assert memory.size == 4


@pytest.fixture
def platform(transactional_db: None) -> Platform:
    """A registered platform whose token was used a moment ago."""
    del transactional_db
    found: Platform = PlatformFactory.create()
    CredentialsFactory.create(platform=found, token=TOKEN)
    called()
    return found


def called(token: str = TOKEN) -> str:
    """Let a platform call, as the hub's views do; return its name."""
    now = epoch.current()
    return identify(header(token), configuring=False, now=now).name


@contextmanager
def locked(*tables: str) -> Iterator[None]:
    """Let nobody read these tables: who asks them waits."""
    with own_connection.connect("tests") as other, other.transaction(force_rollback=True):
        other.execute(f"LOCK TABLE {', '.join(tables)}".encode())
        yield


def test_a_token_is_looked_up_once_an_epoch(platform: Platform) -> None:
    """The second call of a platform asks for the epoch's number and nothing else."""
    called()
    with locked("parties_credentials", "parties_platform", "parties_party"):
        assert called() == platform.name


def test_what_a_party_may_have_is_asked_once_an_epoch(platform: Platform) -> None:
    """So are the owners it may see, and the token that its platform is shown."""
    agreement = AgreementFactory.create()
    pk = agreement.cpo.platform.pk
    CredentialsFactory.create(platform=agreement.cpo.platform, outbound=True)
    now = epoch.current()

    def asked() -> tuple[frozenset[str], str]:
        owners = access.visible_owners(
            receiver=agreement.emsp.holder, module=ModuleID.LOCATIONS, epoch=now
        )
        return owners, outbound_auth.peer_of(pk, now).name

    once = asked()
    assert once == (frozenset({agreement.cpo.holder}), agreement.cpo.platform.name)
    with locked("parties_credentials", "parties_platform", "parties_party", "parties_agreement"):
        assert asked() == once
    assert platform


def test_strangers_tokens_leave_nothing_behind(platform: Platform) -> None:
    """Of a token that is nobody's nothing is remembered, nor of another spelling of a known one."""
    called()
    before = directory.memory.size
    for number in range(50):
        with pytest.raises(Unauthenticated):
            called(f"{TOKEN}-{number}")
    encoded = header(TOKEN)
    for spelled in (f"{encoded}=", encoded.rstrip("="), encoded.replace("Token", "token")):
        now = epoch.current()
        assert identify(spelled, configuring=False, now=now).name == platform.name
    assert directory.memory.size == before


def test_no_token_is_remembered(platform: Platform) -> None:
    """A token is found by its digest; its text is with its request alone."""
    assert called() == platform.name
    remembered = repr(directory.memory._entries)
    assert tokens.digest(TOKEN) in remembered
    assert TOKEN not in remembered


def test_a_transaction_sees_what_it_does_itself(platform: Platform) -> None:
    """Nothing remembered is good for it, and nobody remembers what it sees."""
    pair = AgreementFactory.create()
    now = epoch.current()
    wanted: Any = {"receiver": pair.emsp.holder, "module": ModuleID.LOCATIONS, "epoch": now}
    assert access.visible_owners(**wanted) == {pair.cpo.holder}
    with transaction.atomic():
        pair.delete()
        assert access.visible_owners(**wanted) == frozenset()
        assert epoch.current() is None
        transaction.set_rollback(True)
    assert access.visible_owners(**wanted) == {pair.cpo.holder}
    assert platform


def test_a_failure_is_over_with_the_next_call(platform: Platform) -> None:
    """The next call after a failure that this process noted ends the platform's back-off."""
    connection_health.failed(platform.pk, "no answer")
    called()
    platform.refresh_from_db()
    assert (platform.failures, platform.next_attempt_at) == (0, None)


def test_a_platform_that_is_offline_is_back_with_its_next_call(platform: Platform) -> None:
    """Whichever process found out that it was away."""
    with own_connection.connect("tests") as other:
        other.execute("UPDATE parties_platform SET status = 'OFFLINE'")
    called()
    platform.refresh_from_db()
    assert platform.status == ConnectionStatus.CONNECTED


def test_the_form_of_a_token_is_the_last_one(platform: Platform) -> None:
    """A platform that changes how it spells its token is shown as it spells it now."""
    own = Credentials.objects.filter(platform=platform)
    for spelled, form in ((f"Token {TOKEN}", "RAW"), (header(TOKEN), "BASE64")) * 2:
        for _ in range(2):
            identify(spelled, configuring=False, now=epoch.current())
        assert own.get().form == form
