"""The audit's facts of a platform: its configuration, and its tokens' last four characters."""

from contextlib import AbstractContextManager
from functools import partial

from operators.audit import Facts, audited_action
from parties.models import Platform


def audited(action: str, name: str) -> AbstractContextManager[None]:
    """Record what the block does to the platform of this name, as one entry of the audit."""
    kind = Platform._meta.label  # noqa: SLF001 - a documented name of Django
    return audited_action(action, name, partial(_facts, name), kind=kind)


def _facts(name: str) -> Facts | None:
    platform = Platform.objects.filter(name=name).first()
    if platform is None:
        return None
    in_force = platform.credentials.filter(revoked_at=None).order_by("pk")
    return {
        "name": platform.name,
        "status": str(platform.status),
        "quirks": platform.quirks.as_mapping(),
        "endpoints by hand": sorted(map(str, platform.endpoints.filter(by_hand=True))),
        "allowed parties": sorted(map(str, platform.allowed_parties.all())),
        "tokens": [str(row) for row in in_force.defer("digest", "sealed")],
    }
