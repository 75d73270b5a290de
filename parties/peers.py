"""How the hub authenticates towards a platform.

Spec: 2.2.1 transport and format, Authorization header.
"""

from ocpi.client import Peer
from ocpi.errors import ReceiverNotConnected
from parties.models import Credentials


def peer_of(platform_id: int) -> Peer:
    """Return the token the platform gave the hub, in the form it wants; 4003 if there is none."""
    row = Credentials.objects.outbound(platform_id).select_related("platform").first()
    if row is None:
        message = "the platform is not registered"
        raise ReceiverNotConnected(message)
    return Peer(row.token, base64=row.platform.quirks.base64_out)
