"""How much of each object and part breaks the tables is known where it is stored."""

from django.db import migrations, models

STORED = ("location", "tariff", "token", "session", "cdr")


def number(words):
    return models.IntegerField(db_default=0, help_text=words)


class Migration(migrations.Migration):
    dependencies = [("hub", "0030_change_hours")]

    operations = [
        operation
        for name in STORED
        for operation in (
            migrations.AddField(
                name, "findings", number("Members that break the tables, when it was last written")
            ),
            migrations.AddField(name, "part_findings", number("The same, in its parts")),
            migrations.AddIndex(
                name,
                models.Index(
                    fields=["owner", "seq"],
                    condition=models.Q(findings__gt=0) | models.Q(part_findings__gt=0),
                    name=f"hub_{name}_odd",
                ),
            ),
        )
    ] + [
        migrations.AddField("evse", "findings", number("Members that break the tables")),
        migrations.AddField(
            "snapshot",
            "strict",
            models.BooleanField(
                db_default=False, help_text="Its receiver is spared what breaks the tables"
            ),
        ),
    ]
