"""What was set aside of an object is known where the rest of it is stored."""

from django.db import migrations, models

STORED = ("location", "tariff", "token", "session", "cdr")
WORDS = "Parts that were not stored, and why (`hub.store.set_aside`)"


class Migration(migrations.Migration):
    dependencies = [("hub", "0031_findings")]

    operations = [
        migrations.AddField(name, "set_aside", models.TextField(db_default="", help_text=WORDS))
        for name in STORED
    ]
