"""A list that is the same for several parties of a platform is read once for all of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0032_set_aside")]

    operations = [
        migrations.AddField(
            "pullstate",
            "requested_at",
            models.DateTimeField(
                editable=False,
                help_text="What was read before for another party is too old",
                null=True,
            ),
        ),
        migrations.AddField(
            "pullstate",
            "first_page",
            models.TextField(
                db_default="", default="", editable=False, help_text="A digest of what it names"
            ),
        ),
        migrations.AddField(
            "pullstate",
            "read_with",
            models.ForeignKey(
                help_text="The list of another party that is the same, and was read for both",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="readers",
                to="hub.pullstate",
            ),
        ),
    ]
