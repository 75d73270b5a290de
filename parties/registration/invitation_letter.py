"""The letter a platform gets with its token A: which requests to make, and what they lead to.

Spec: 2.2.1 credentials (registration); transport and format, Authorization header; A-02.
"""

import json
import shlex
from typing import Any

from django.conf import settings

from ocpi.transport import authorization
from ocpi.types import InterfaceRole, ModuleID
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
    )


def _credentials(invitation: Invitation) -> dict[str, Any]:
    roles = [{**role, "business_details": {"name": "YOUR NAME"}} for role in _roles(invitation)]
    url = "https://YOUR.HOST/ocpi/versions"
    return {"token": "A_TOKEN_YOU_ISSUE_TO_US", "url": url, "roles": roles}


def _roles(invitation: Invitation) -> list[dict[str, str]]:
    return [
        {"role": row.role, "country_code": row.country_code, "party_id": row.party_id}
        for row in invitation.platform.allowed_parties.all()
    ]


def _named(role: dict[str, str]) -> str:
    return f"{role['role']} {role['country_code']}-{role['party_id']}"
