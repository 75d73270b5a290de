"""The operators as a Django application: groups after every migration, changes written down."""

from django.apps import AppConfig, apps
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save, pre_save


class OperatorsConfig(AppConfig):
    """Comes last of the applications: its `post_migrate` finds everybody's permissions."""

    name = "operators"
    verbose_name = "Operators"

    def ready(self) -> None:
        """Listen to what is audited."""
        from operators import auditing, roles  # noqa: PLC0415 - they need the loaded models

        post_migrate.connect(roles.bring_in_line, sender=self, dispatch_uid="operators.roles")
        for label in auditing.AUDITED:
            model = apps.get_model(label)
            pre_save.connect(auditing.remember, sender=model, dispatch_uid="operators")
            post_save.connect(auditing.saved, sender=model, dispatch_uid="operators")
            post_delete.connect(auditing.deleted, sender=model, dispatch_uid="operators")
        user, group = apps.get_model("auth.User"), apps.get_model("auth.Group")
        for through in (
            user.groups.through,
            user.user_permissions.through,
            group.permissions.through,
        ):
            m2m_changed.connect(auditing.linked, sender=through, dispatch_uid="operators")
