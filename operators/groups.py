"""Groups: who may do what. There are four, and each may do all that those before it may.

The tables below say from which role on something may be done; deleting is the administrators'. Of
models that the tables do not name, those added later too, viewers may see the rows in `parties` and
`hub`; everything else about them is the administrators' alone.
"""

from collections.abc import Mapping
from enum import IntEnum

from django.apps import apps
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction


class Role(IntEnum):
    """The groups, from the one that may do least."""

    VIEWER = 1
    SUPPORT = 2
    OPERATOR = 3
    ADMINISTRATOR = 4

    @property
    def group(self) -> str:
        """The name of its group."""
        return self.name.lower()


SHOWN_TO_ALL = ("parties", "hub")
"""The applications whose rows every role may see, masked."""
SEEN_FROM: Mapping[str, Role] = {"operators.change": Role.OPERATOR}
"""By model, where that is another role: the rows of the audit."""
CHANGED_FROM: Mapping[str, Role] = {
    # What may be done with these: re-drive, discard, deliver at once.
    "hub.deadletter": Role.SUPPORT,
    "hub.quarantined": Role.SUPPORT,
    "hub.subscription": Role.SUPPORT,
    # Have a list read, also because of what is in quarantine.
    "hub.pullstate": Role.SUPPORT,
    "parties.platform": Role.OPERATOR,
    "parties.allowedparty": Role.OPERATOR,
    "parties.agreement": Role.OPERATOR,
}
ABOUT_ONE_DRIVER = {"hub.erase_driver", "hub.export_driver"}
"""Erase or export all that is held of one person: administrators, or a group made for it."""
REVEALED_FROM = Role.OPERATOR
"""Reading what is masked: any permission whose name begins with `reveal`."""
EXPORTED_FROM = Role.SUPPORT
"""Exporting whole lists as files: any permission whose name begins with `export`."""


def least_role(app: str, codename: str) -> Role:
    """Return the first role that has a permission."""
    verb, _, model = codename.partition("_")
    what = f"{app}.{model}"
    if f"{app}.{codename}" in ABOUT_ONE_DRIVER:
        return Role.ADMINISTRATOR
    if verb in {"reveal", "export"}:
        return REVEALED_FROM if verb == "reveal" else EXPORTED_FROM
    if verb == "view":
        everybody = Role.VIEWER if app in SHOWN_TO_ALL else Role.ADMINISTRATOR
        return SEEN_FROM.get(what, everybody)
    return CHANGED_FROM.get(what, Role.ADMINISTRATOR) if verb != "delete" else Role.ADMINISTRATOR


def bring_in_line(apps: Apps = apps, **_: object) -> None:
    """Give each group exactly what its role may do; run whenever the models may have changed."""
    if "auth" not in apps.app_configs:
        return  # so far only other applications are migrated
    known = Permission.objects.values_list("pk", "content_type__app_label", "codename")
    from_role = {pk: least_role(app, codename) for pk, app, codename in known}
    with transaction.atomic():
        for role in Role:
            group, _created = Group.objects.get_or_create(name=role.group)
            _give(group, {pk for pk, needed in from_role.items() if needed <= role})


def _give(group: Group, permissions: set[int]) -> None:
    held = set(group.permissions.values_list("pk", flat=True))
    if held != permissions:
        through = Group.permissions.through
        through.objects.filter(group=group, permission__in=held - permissions).delete()
        given = [through(group_id=group.pk, permission_id=pk) for pk in permissions - held]
        through.objects.bulk_create(given, ignore_conflicts=True)


def is_built_in(group: Group | None) -> bool:
    """Return whether a group is one of the four, whose permissions every migration sets."""
    return group is not None and group.name in {role.group for role in Role}
