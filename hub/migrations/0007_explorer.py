from django.db import migrations, models
from django.db.models.functions import Right, Upper


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0006_feed_by_object'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='token',
            options={
                'permissions': (('reveal_personal', 'Can see what identifies a driver; each time is recorded'),),
                'verbose_name_plural': 'tokens',
            },
        ),
        migrations.AddIndex(
            model_name='token',
            index=models.Index(Upper(Right('object_id', 4)), name='hub_token_ending'),
        ),
        migrations.AddIndex(
            model_name='exchange',
            index=models.Index(condition=models.Q(('status_code', 1000), _negated=True), fields=['at'], name='hub_exchange_failures'),
        ),
    ]
