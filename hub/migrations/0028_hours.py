"""Locations, tokens and sessions are found by the hour of their `last_updated`, so that writes are HOT."""

from django.db import migrations, models
from django.db.models import Q

import hub.models.stored

BUSY = ("location", "token", "session")
# Space in each page for the next versions of its rows. What is there already is spread out by the rewriting
# of the table when the column is added.
SPARE = "".join(f"ALTER TABLE hub_{name} SET (fillfactor = 80);" for name in (*BUSY, "evse"))
FULL = "".join(f"ALTER TABLE hub_{name} RESET (fillfactor);" for name in (*BUSY, "evse"))


def hour():
    return models.GeneratedField(
        db_persist=True,
        expression=hub.models.stored.Hour("last_updated"),
        output_field=models.DateTimeField(),
        verbose_name="last updated",
    )


class Migration(migrations.Migration):
    dependencies = [("hub", "0027_words")]

    operations = [
        migrations.RunSQL(SPARE, FULL),
        *(migrations.RemoveIndex(name, f"hub_{name}_updated") for name in BUSY),
        *(migrations.AddField(name, "updated_hour", hour()) for name in BUSY),
        *(
            migrations.AddIndex(name, models.Index(fields=["updated_hour"], name=f"hub_{name}_hour"))
            for name in BUSY
        ),
        migrations.RemoveIndex("token", "hub_token_ended"),
        migrations.AddIndex(
            "token",
            models.Index(
                fields=["seq"],
                condition=Q(valid=False) | Q(missed__gte=2),
                name="hub_token_ended",
            ),
        ),
    ]
