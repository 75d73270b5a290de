"""The operators as a Django application: groups after every migration, changes written down."""

from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import (
    m2m_changed,
    post_delete,
    post_migrate,
    post_save,
    pre_delete,
    pre_save,
)


class OperatorsConfig(AppConfig):
    """Comes last of the applications: its `post_migrate` finds everybody's permissions."""

    name = "operators"
    verbose_name = "Operators"

    def ready(self) -> None:
        """Connect the receivers of signals: groups, audit, sessions."""
        from django.contrib import admin  # noqa: PLC0415 - its site is made of loaded applications

        from operators import groups  # noqa: PLC0415 - it needs the loaded models

        post_migrate.connect(groups.bring_in_line, sender=self, dispatch_uid="operators.groups")
        admin.site.login_template = "operators/login.html"
        _audit()
        _watch_sessions()


def _audit() -> None:
    from operators import audit  # noqa: PLC0415 - it needs the loaded models

    for label in audit.AUDITED:
        model = apps.get_model(label)
        pre_save.connect(audit.remember, sender=model, dispatch_uid="operators")
        post_save.connect(audit.saved, sender=model, dispatch_uid="operators")
        post_delete.connect(audit.deleted, sender=model, dispatch_uid="operators")
    user, group = apps.get_model("auth.User"), apps.get_model("auth.Group")
    for through in (user.groups.through, user.user_permissions.through, group.permissions.through):
        m2m_changed.connect(audit.relations_changed, sender=through, dispatch_uid="operators")


def _watch_sessions() -> None:
    from operators import forms, sessions  # noqa: PLC0415 - they need the loaded models

    user, group = apps.get_model("auth.User"), apps.get_model("auth.Group")
    pre_save.connect(sessions.remember, sender=user, dispatch_uid="operators.sessions")
    post_save.connect(sessions.saved, sender=user, dispatch_uid="operators.sessions")
    groups = user.groups.through
    m2m_changed.connect(sessions.groups_changed, sender=groups, dispatch_uid="operators.sessions")
    pre_delete.connect(
        sessions.group_to_be_deleted, sender=group, dispatch_uid="operators.sessions"
    )
    user_logged_in.connect(forms.logged_in, dispatch_uid="operators")
    user_logged_out.connect(forms.logged_out, dispatch_uid="operators")
