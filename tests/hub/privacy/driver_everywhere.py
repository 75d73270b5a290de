"""One driver in every place of the hub, brought there by real traffic, and where a text stands."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from hub.models import PullState, Quarantined, Subscription, Token
from operators.audit import record
from parties.models import ObservedDeviation, Platform
from sandbox import SandboxPlatform, misbehaviour, object_path
from tests.cast import CPA, HUB, MSA, Cast, a_location
from tests.ocpi.objects import a_cdr, a_cdr_token, a_session, a_token

UID, CONTRACT, NUMBER = "04A2B7C9D1E3F5", "DE-MSA-C77512345-X", "DF888-1234-7777-9"
NAMES = (UID, CONTRACT, NUMBER)
HEAD = {"to": HUB, "sender": MSA}
TOKEN = a_token(uid=UID, contract_id=CONTRACT, visual_number=NUMBER, group_id=CONTRACT)
CDR_TOKEN = a_cdr_token(uid=UID, contract_id=CONTRACT)
PLAIN = {"nature": "Start", "plain_data": f"OCMF|{UID}", "signed_data": "OCMF|00"}
SESSION = a_session(cdr_token=CDR_TOKEN)
CDR = a_cdr(
    cdr_token=CDR_TOKEN,
    remark=f"card {UID}",
    signed_data={"encoding_method": "OCMF", "signed_values": [PLAIN]},
)
_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN
  ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY', 'inet', 'uuid')"""


def found_in(*texts: str) -> list[str]:
    """Return every column of the database in which one of some texts stands, in whatever case."""
    return sorted(set(_standing(texts)))


def _standing(texts: tuple[str, ...]) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column, kind in cursor.fetchall():
            shown = f"encode({column}, 'escape')" if kind == "bytea" else f'"{column}"::text'
            for text in texts:
                cursor.execute(
                    f'SELECT 1 FROM "{table}" WHERE strpos(upper({shown}), %s) > 0 LIMIT 1',  # noqa: S608
                    [text.upper()],
                )
                if cursor.fetchone():
                    yield f"{table}.{column}"


def plant(cast: Cast, deliver_all: Callable[[], int]) -> None:
    """Let a driver charge, be refused, be misspelled, be quoted and be asked about."""
    cpo, emsp = cast["P1"], cast["P2"]
    cast.agree((str(CPA), str(MSA)))
    _tokens(cpo, emsp)
    _charging(cpo, emsp)
    deliver_all()
    with cpo.answer("PUT", misbehaviour.refuse(2001, f"card {UID} is not ours")):
        emsp.hub.put("tokens", "RECEIVER", object_path(MSA, UID), TOKEN | {"issuer": "X"}, **HEAD)
        deliver_all()
    emsp.hub.put("tokens", "RECEIVER", object_path(MSA, UID), TOKEN | {"valid": "?"}, **HEAD)
    own = TOKEN | {"last_updated": "2026-11-21T06:32:00Z"}
    emsp.hub.put("tokens", "RECEIVER", object_path(MSA, UID), own, to=CPA, sender=MSA)
    _asked(cpo, emsp)
    _for_review()
    _said_by_people()


def _tokens(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    path = object_path(MSA, UID)
    emsp.hub.put("tokens", "RECEIVER", path, TOKEN, **HEAD)
    app = TOKEN | {"type": "APP_USER"}
    emsp.hub.put("tokens", "RECEIVER", f"{path}?type=APP_USER", app, **HEAD)
    unpublished = a_location(CPA, 7, publish=False)
    unpublished["publish_allowed_to"] = [{"uid": UID, "type": "RFID", "issuer": "MSA"}]
    path = object_path(CPA, unpublished["id"])
    cpo.hub.put("locations", "RECEIVER", path, unpublished, to=HUB, sender=CPA)


def _charging(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    head: dict[str, Any] = {"to": HUB, "sender": CPA}
    path = object_path(CPA, "S1")
    assert cpo.hub.put("sessions", "RECEIVER", path, SESSION, **head).status_code == 1000
    patch = {"cdr_token": CDR_TOKEN, "kwh": 20, "last_updated": "2026-11-21T05:40:00Z"}
    assert cpo.hub.patch("sessions", "RECEIVER", path, patch, **head).status_code == 1000
    assert cpo.hub.post("cdrs", "RECEIVER", body=CDR, **head).status_code == 1000
    with emsp.answer("POST", misbehaviour.refuse(2001, f"{UID} is blocked")):
        cpo.hub.post("cdrs", "RECEIVER", body=CDR | {"id": "C7"}, to=MSA, sender=CPA)


def _asked(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    """Ask about the driver: a command to start, and an authorization in real time."""
    asked = {
        "response_url": f"{emsp.url}/commands/START_SESSION/{UID}",
        "token": TOKEN,
        "location_id": "LOC1",
    }
    emsp.hub.post("commands", "RECEIVER", "START_SESSION", asked, to=CPA, sender=MSA)
    cpo.hub.post("tokens", "SENDER", f"{UID}/authorize", {"location_id": "L"}, to=MSA, sender=CPA)


def _for_review() -> None:
    pull, _ = PullState.objects.get_or_create(
        party=Subscription.objects.filter(receiver__key=str(MSA)).first().receiver,  # type: ignore[union-attr]
        module="tokens",
    )
    pull.listed.create(object_key=UID)
    Quarantined.objects.create(
        pull=pull,
        key=f"{MSA}/{UID}",
        object_id=UID,
        text=f'{{"uid": "{UID}',
        findings=f"uid: {UID}",
    )
    PullState.objects.filter(pk=pull.pk).update(last_error=f"no answer for {UID}", remark=CONTRACT)
    Subscription.objects.update(last_error=f"HTTP 500: {CONTRACT.lower()}")
    Platform.objects.filter(name="P1").update(last_error=f"/tokens/%30{UID[1:]}: refused")
    ObservedDeviation.objects.create(
        platform=Platform.objects.get(name="P1"),
        deviation="no-envelope",
        example=f'{{"uid":"\\u0030{UID[1:]}"}}',
        first_at=timezone.now(),
        last_at=timezone.now(),
    )


def _said_by_people() -> None:
    record("revealed", f"TOKEN {UID}", after={"reason": f"asked about {CONTRACT}"})
    record("revealed", "TOKEN", after={"reason": f"card {NUMBER} was found"})
    LogEntry.objects.create(
        user=User.objects.create_user("clerk"),
        content_type=ContentType.objects.get_for_model(Token),
        object_id="1",
        object_repr=UID,
        action_flag=CHANGE,
        change_message=f'[{{"changed": {{"name": "{CONTRACT}"}}}}]',
    )
