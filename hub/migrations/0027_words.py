"""Columns by the words of their trade."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("hub", "0026_fault_of_quarantined")]

    operations = [
        migrations.RemoveIndex("clientinfo", "hub_clientinfo_untold"),
        migrations.RenameField("clientinfo", "told", "sent_status"),
        migrations.RenameField("clientinfo", "told_at", "sent_at"),
        migrations.AddIndex(
            "clientinfo",
            models.Index(
                fields=["platform"],
                condition=~Q(sent_status=F("status")),
                name="hub_clientinfo_unsent",
            ),
        ),
        migrations.RenameField("pullstate", "wants_full", "full_requested"),
        migrations.RenameField("pullstate", "again_at", "read_again_at"),
        migrations.RenameField("receipt", "trouble", "last_error"),
        migrations.RenameField("subscription", "thinned_to", "compacted_to"),
        migrations.AlterField(
            "callback", "url", models.TextField(help_text="Its response_url")
        ),
        migrations.AlterField(
            "clientinfo",
            "not_before",
            models.DateTimeField(help_text="It is not sent before", null=True),
        ),
        migrations.AlterField(
            "clientinfo",
            "sent_status",
            models.CharField(
                blank=True,
                default="",
                help_text="The status the platform was last sent, and took or refused",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            "evse", "position", models.BigIntegerField(help_text="Its place among its siblings")
        ),
        migrations.AlterField(
            "exchange",
            "route",
            models.CharField(
                help_text="What the hub did with it, or why it sent it", max_length=10
            ),
        ),
        migrations.AlterField(
            "keptcdr",
            "platform",
            models.CharField(help_text="The platform that was forgotten", max_length=100),
        ),
        migrations.AlterField(
            "pullstate",
            "passed_over",
            models.BigIntegerField(default=0, help_text="Nobody here may have it"),
        ),
        migrations.AlterField(
            "subscription",
            "ahead",
            models.JSONField(
                db_default=[], help_text="Positions beyond that one that are dealt with already"
            ),
        ),
        migrations.AlterField(
            "subscription",
            "compacted_to",
            models.BigIntegerField(
                db_default=0,
                help_text="By this transaction whole states replace the changes that were passed over",
            ),
        ),
        migrations.AlterField(
            "subscription",
            "in_doubt",
            models.JSONField(
                db_default=[],
                help_text="Positions of changes that may have arrived although nobody confirmed it",
            ),
        ),
    ]
