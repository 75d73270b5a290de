"""Platforms, parties and agreements as a completed handshake leaves them."""

from django.utils import timezone

from parties.models import Agreement, Credentials, Endpoint, Party, Platform
from parties.status import ConnectionStatus


def connect(cpo: tuple[str, str], sinks: tuple[str, ...]) -> tuple[str, str]:
    """Connect one CPO and an eMSP behind each sink; return the tokens of the CPO and an eMSP."""
    owner, cpo_token = _connect("CPO", *cpo, url=None)
    tokens = []
    for number, sink in enumerate(sinks):
        party, token = _connect("EMSP", "DE", f"M{number:02}", url=f"{sink}/locations")
        Agreement.objects.create(cpo=owner, emsp=party)
        tokens.append(token)
    return cpo_token, tokens[0]


def _connect(role: str, country_code: str, party_id: str, *, url: str | None) -> tuple[Party, str]:
    platform = Platform.objects.create(
        name=f"{country_code}-{party_id}",
        versions_url="http://127.0.0.1/versions",
        version="2.2.1",
        status=ConnectionStatus.CONNECTED,
    )
    party = Party.objects.create(
        platform=platform,
        role=role,
        country_code=country_code,
        party_id=party_id,
        is_active=True,
        claimed_at=timezone.now(),
    )
    Credentials.objects.keep(platform, f"token-of-{country_code}-{party_id}")
    _, token = Credentials.objects.issue(platform)
    if url is not None:
        Endpoint.objects.create(platform=platform, module="locations", role="RECEIVER", url=url)
    return party, token
