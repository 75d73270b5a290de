"""Endpoints of a platform: those that it advertises, and those that an operator adds by hand.

Spec: 2.2.1 versions, Endpoint class. Some platforms have an interface and forget it in their
version details. What is added by hand goes before what is advertised, and stays when the details
are read again, until it is removed by hand.
"""

from collections.abc import Mapping

from django.db import transaction

from ocpi.types import InterfaceRole, ModuleID
from ocpi.versions import known_modules
from parties.audit import audited
from parties.models import Endpoint, Platform
from parties.registration.discovery import Interface, check_address
from parties.signals import announce, platform_changed

LONGEST_URL = 255


def by_hand(platform_id: int) -> Mapping[Interface, str]:
    """Return the URLs that were added by hand."""
    return {
        (ModuleID(row.module), InterfaceRole(row.role)): row.url
        for row in Endpoint.objects.filter(platform=platform_id, by_hand=True)
    }


def forget_advertised(platform: Platform) -> None:
    """Delete what the platform advertised; what was added by hand stays."""
    platform.endpoints.filter(by_hand=False).delete()


def replace_advertised(platform: Platform, found: Mapping[Interface, str]) -> None:
    """Store what was found, but for what was added by hand; called inside a transaction."""
    forget_advertised(platform)
    kept = by_hand(platform.pk)
    Endpoint.objects.bulk_create(
        Endpoint(platform=platform, module=module, role=side, url=url)
        for (module, side), url in found.items()
        if (module, side) not in kept
    )


def interface_of(module: str, role: str) -> Interface:
    """Return an interface as people write it; a ValueError names what there is."""
    known, sides = known_modules(), list(InterfaceRole)
    if module.lower() not in known:
        message = f"{module} is no module that the hub knows: {', '.join(sorted(known))}"
        raise ValueError(message)
    if role.upper() not in sides:
        message = f"{role} is no role of an interface: {' or '.join(sides)}"
        raise ValueError(message)
    name = ModuleID(module.lower())
    # The role of credentials says nothing, and the hub keeps that endpoint as SENDER.
    side = InterfaceRole.SENDER if name == ModuleID.CREDENTIALS else InterfaceRole(role.upper())
    return name, side


def add(platform: Platform, interface: Interface, url: str) -> None:
    """Add an endpoint, or give one another URL; 3001 for a URL that the hub may not call."""
    if not url or len(url) > LONGEST_URL:
        message = f"a URL has 1 to {LONGEST_URL} characters"
        raise ValueError(message)
    check_address(url)
    module, side = interface
    with audited("added an endpoint", platform.name), transaction.atomic():
        platform.endpoints.update_or_create(
            module=module, role=side.value, defaults={"url": url, "by_hand": True}
        )
        announce(platform_changed, Platform, platform_id=platform.pk)


def remove(platform: Platform, interface: Interface) -> None:
    """Remove what was added by hand; what is advertised comes with the next reading of details."""
    module, side = interface
    with audited("removed an endpoint", platform.name), transaction.atomic():
        found = platform.endpoints.filter(module=module, role=side.value, by_hand=True)
        if not found.delete()[0]:
            message = f"{platform.name} has no {module} {side} that was added by hand"
            raise ValueError(message)
        announce(platform_changed, Platform, platform_id=platform.pk)
