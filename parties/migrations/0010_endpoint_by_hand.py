from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('parties', '0009_deviation_kinds'),
    ]

    operations = [
        migrations.AddField(
            model_name='endpoint',
            name='by_hand',
            field=models.BooleanField(db_default=False, default=False, help_text='Added by an operator: it stays when version details are read again'),
        ),
    ]
