"""Platforms, parties and agreements as a completed handshake leaves them."""

from collections.abc import Sequence

from django.utils import timezone

from ocpi.types import PartyRef
from parties.connection_status import ConnectionStatus
from parties.models import Agreement, Credentials, Endpoint, Party, Platform


def connect(
    cpo: PartyRef, small_cpo: PartyRef, emsps: Sequence[PartyRef], sinks: Sequence[str]
) -> dict[PartyRef, str]:
    """Connect a CPO with an eMSP behind each sink, another with the first only; return tokens."""
    owner, small_owner = (_connect("CPO", ref) for ref in (cpo, small_cpo))
    readers = [_connect("EMSP", ref) for ref in emsps]
    for reader, sink in zip(readers, sinks, strict=True):
        for module, role in (("locations", "RECEIVER"), ("tokens", "SENDER")):
            Endpoint.objects.create(
                platform=reader.platform, module=module, role=role, url=f"{sink}/{module}"
            )
        Agreement.objects.create(cpo=owner, emsp=reader)
    Agreement.objects.create(cpo=small_owner, emsp=readers[0])
    return {party.ref: _token(party) for party in (owner, small_owner, *readers)}


def _connect(role: str, ref: PartyRef) -> Party:
    platform = Platform.objects.create(
        name=str(ref),
        versions_url="",  # behind the sinks nobody answers a ping
        version="2.2.1",
        status=ConnectionStatus.CONNECTED,
        quirks={"pull": False},  # behind the sinks there are no lists to read
    )
    return Party.objects.create(
        platform=platform,
        role=role,
        country_code=ref.country_code,
        party_id=ref.party_id,
        is_active=True,
        claimed_at=timezone.now(),
    )


def _token(party: Party) -> str:
    """Exchange tokens with a platform; return the one it speaks to the hub with."""
    Credentials.objects.keep(party.platform, f"token-of-{party.ref}")
    _, token = Credentials.objects.issue(party.platform)
    return token
