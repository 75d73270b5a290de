"""Objects are found by the hub's own time of their last change, too: of what often changes by its hour."""

from django.db import migrations, models

import hub.models.stored

BUSY = ("location", "token", "session")
SELDOM = ("tariff", "cdr")


def hour():
    return models.GeneratedField(
        db_persist=True,
        expression=hub.models.stored.Hour("changed_at"),
        output_field=models.DateTimeField(),
        verbose_name="changed",
    )


class Migration(migrations.Migration):
    dependencies = [("hub", "0029_followers")]

    operations = [
        *(migrations.AddField(name, "changed_hour", hour()) for name in BUSY),
        *(
            migrations.AddIndex(name, models.Index(fields=["changed_hour"], name=f"hub_{name}_since"))
            for name in BUSY
        ),
        *(
            migrations.AddIndex(name, models.Index(fields=["changed_at"], name=f"hub_{name}_changed"))
            for name in SELDOM
        ),
    ]
