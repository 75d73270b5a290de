"""The letter a platform gets with its token A: which requests to make, and what they lead to.

Spec: 2.2.1 credentials (registration); transport and format, Authorization header; A-02.
"""

import json
import shlex
from typing import Any

from django.conf import settings

from ocpi.transport import authorization
from ocpi.types import InterfaceRole, ModuleID, Role
from ocpi.versions import VERSIONS, latest_mutual
from parties import hub_identity
from parties.registration.invitation import Invitation

_LETTER = """\
Registration of {platform} with {hub}, \
OCPI {versions}

Versions URL  {versions_url}
Token A       {token}
Good for      one registration, within {days} days
Parties       {parties}

1. Fetch our versions. The token goes into the header in Base64, as here:

curl {header} \\
  {versions_url}

2. Fetch the details of the version you speak, from the URL in the answer:

curl {header} \\
  {details_url}

3. POST your credentials. Your token and your versions URL must work by then: we fetch your
versions and their details with that token before we answer.

curl -X POST {header} \\
  -H 'Content-Type: application/json' -d {body} \\
  {post_to}

The answer has your final token. From then on it opens everything, and token A opens nothing.

4. Begin by reading our lists, page by page along the Link headers: that is many times faster than
waiting until we have pushed everything to you.

curl -H 'Authorization: Token YOUR_FINAL_TOKEN_IN_BASE64' \\
  {list_url}

What changes from then on we push to you. If you take no pushes and ask for what changed instead:
date_from is about last_updated, which is the owner's and never ours, so what reached us late is in
no such answer. Ask us to set `by_arrival` for you, and date_from is about when a change reached us.
Take the `timestamp` of the first page of your last reading for it, and read everything again when
you have a new agreement.
"""


def describe(invitation: Invitation) -> dict[str, Any]:
    """Return an invitation ready for JSON; only this and the letter have its token."""
    platform = invitation.platform
    return {
        "platform": platform.name,
        "token_a": invitation.token,
        "versions_url": hub_identity.versions_url(),
        "parties": sorted(str(row) for row in platform.allowed_parties.all()),
        "instructions": letter(invitation),
    }


def letter(invitation: Invitation) -> str:
    """Return the text, ready to be sent in a safe way."""
    version = latest_mutual(VERSIONS)
    assert version is not None  # noqa: S101 - one of the hub's own versions is the latest
    return _LETTER.format(
        platform=invitation.platform,
        hub=settings.HUB_NAME,
        versions=" or ".join(VERSIONS),
        versions_url=hub_identity.versions_url(),
        token=invitation.token,
        days=settings.HUB_TOKEN_A_DAYS,
        parties=", ".join(map(_named, _roles(invitation))) or "none yet",
        header=f"-H {shlex.quote(f'Authorization: {authorization.header(invitation.token)}')}",
        details_url=hub_identity.details_url(version),
        body=shlex.quote(json.dumps(_credentials(invitation), ensure_ascii=False, indent=2)),
        post_to=hub_identity.endpoint_url(version, ModuleID.CREDENTIALS, InterfaceRole.SENDER),
        list_url=hub_identity.endpoint_url(version, _first_list(invitation), InterfaceRole.SENDER),
    )


def _credentials(invitation: Invitation) -> dict[str, Any]:
    roles = [{**role, "business_details": {"name": "YOUR NAME"}} for role in _roles(invitation)]
    url = "https://YOUR.HOST/ocpi/versions"
    return {"token": "A_TOKEN_YOU_ISSUE_TO_US", "url": url, "roles": roles}


def _first_list(invitation: Invitation) -> ModuleID:
    """Return what these parties read: whoever is no CPO alone begins with Locations."""
    roles = {role["role"] for role in _roles(invitation)}
    return ModuleID.TOKENS if roles == {Role.CPO} else ModuleID.LOCATIONS


def _roles(invitation: Invitation) -> list[dict[str, str]]:
    return [
        {"role": row.role, "country_code": row.country_code, "party_id": row.party_id}
        for row in invitation.platform.allowed_parties.all()
    ]


def _named(role: dict[str, str]) -> str:
    return f"{role['role']} {role['country_code']}-{role['party_id']}"
