"""Places on the map and statuses of EVSEs follow the feed: a write of a Location waits for neither."""

from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

dashboard = import_module("hub.migrations.0008_dashboard")
leaving = import_module("hub.migrations.0011_evses_that_left")

# Nobody writes a Location meanwhile: what was written before has its figures by the triggers, what comes
# afterwards has a later transaction than this one.
TAKE_OVER = f"""
LOCK TABLE hub_location IN SHARE ROW EXCLUSIVE MODE;
{leaving.GONE}
{dashboard.GONE}
INSERT INTO hub_evsestatus (evse_id, status, since)
SELECT e.id, CASE WHEN e.generation = o.generation THEN e.status ELSE '' END,
  COALESCE((SELECT max(c.at) FROM hub_evsechange c WHERE c.evse_id = e.id), now())
FROM hub_evse e JOIN hub_location o ON o.seq = e.object_id;
INSERT INTO hub_follower (module, transaction, seq)
VALUES ('locations', pg_current_xact_id()::text::bigint, 0);
"""
# Back again the triggers find everything as it would be by them, if the feed was followed to its end.
GIVE_BACK = f"""
LOCK TABLE hub_location IN SHARE ROW EXCLUSIVE MODE;
{dashboard.KEPT}
{leaving.LEAVING}
UPDATE hub_evse e SET generation = 0 FROM hub_location o
WHERE e.object_id = o.seq AND e.generation <> 0 AND e.generation < o.generation;
"""
# Whatever deletes an EVSE or a Location deletes what follows it.
CASCADES = (
    ("hub_spot", "location_id", "hub_location (seq)"),
    ("hub_evsestatus", "evse_id", "hub_evse (id)"),
    ("hub_evsechange", "evse_id", "hub_evse (id)"),
)
TIE = """
DELETE FROM hub_evsechange c WHERE NOT EXISTS (SELECT FROM hub_evse e WHERE e.id = c.evse_id);
DELETE FROM hub_spot s WHERE NOT EXISTS (SELECT FROM hub_location o WHERE o.seq = s.location_id);
""" + "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table}_follows FOREIGN KEY ({column})"
    f" REFERENCES {of} ON DELETE CASCADE;"
    for table, column, of in CASCADES
)
UNTIE = "".join(f"ALTER TABLE {table} DROP CONSTRAINT {table}_follows;" for table, *_ in CASCADES)


class Migration(migrations.Migration):
    dependencies = [("hub", "0028_hours")]

    operations = [
        migrations.CreateModel(
            name="Follower",
            fields=[
                ("module", models.CharField(max_length=36, primary_key=True, serialize=False)),
                (
                    "transaction",
                    models.BigIntegerField(default=0, help_text="Counted up to this transaction"),
                ),
                (
                    "seq",
                    models.BigIntegerField(default=0, help_text="and this change within it"),
                ),
                (
                    "as_of",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="What was accepted before this moment is counted",
                    ),
                ),
                (
                    "recounted_to",
                    models.BigIntegerField(
                        help_text="Objects up to this seq were counted anew; empty: all that should be",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Unfed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("location_id", models.BigIntegerField()),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EvseStatus",
            fields=[
                (
                    "evse",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="followed",
                        serialize=False,
                        to="hub.evse",
                    ),
                ),
                ("status", models.TextField()),
                ("since", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["status", "evse"], name="hub_evsestatus_status")
                ],
            },
        ),
        migrations.RunSQL(TAKE_OVER, GIVE_BACK),
        migrations.RunSQL(TIE, UNTIE),
        migrations.RemoveIndex("evse", "hub_evse_status"),
    ]
