"""Records of the URLs and tokens that the hub gave out: the `Records` of `implied_sender`.

Spec: 2.2.1 transport and format; mod_cdrs, mod_commands; A-83.
"""

from hub.gateway import callbacks
from hub.store import cdr_references
from ocpi.errors import UnsupportedVersion
from ocpi.types import ModuleID, PartyRef
from parties.caller import Caller
from parties.models import Credentials


def check_version(version: str, caller: Caller) -> None:
    """Refuse a version the platform did not register with (A-83).

    After a switch the old version remains open to the old token until that ends: with the first
    use of the new token, or when the rotation's grace period is over.
    """
    if not caller.version or caller.version == version:
        return
    ending = Credentials.objects.filter(pk=caller.credentials_id, valid_until__isnull=False)
    if not ending.exists():
        message = f"this platform is registered with {caller.version}"
        raise UnsupportedVersion(f"{message}; to switch to {version}, PUT its credentials there")


def poster(reference: str) -> str | None:
    """Return the holder who posted what this reference stands for."""
    known = cdr_references.by_reference(reference)
    return known.owner if known else None


def asked_party(reference: str, *, platform_id: int, module: ModuleID) -> PartyRef:
    """Return the party of a platform that owes a result at this URL; raises `NotFound`."""
    found = callbacks.awaited(reference, platform_id=platform_id, module=module)
    return PartyRef.parse(found.receiver)
