from django.db import migrations, models


MERGE = """
UPDATE parties_observedhabit d SET times = s.times, last_at = s.last_at, first_at = s.first_at
FROM (SELECT min(id) AS id, sum(times) AS times, max(last_at) AS last_at, min(first_at) AS first_at
  FROM parties_observedhabit GROUP BY platform_id, deviation) s WHERE d.id = s.id;
DELETE FROM parties_observedhabit d USING parties_observedhabit k
WHERE k.platform_id = d.platform_id AND k.deviation = d.deviation AND k.id < d.id;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('parties', '0008_epoch'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='observeddeviation',
            options={'ordering': ['platform', 'deviation', 'about']},
        ),
        migrations.RemoveConstraint(
            model_name='observeddeviation',
            name='parties_deviation_once',
        ),
        migrations.AddField(
            model_name='observeddeviation',
            name='about',
            field=models.CharField(blank=True, default='', max_length=60),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, MERGE),
        migrations.AddConstraint(
            model_name='observeddeviation',
            constraint=models.UniqueConstraint(fields=('platform', 'deviation', 'about'), name='parties_deviation_once'),
        ),
    ]
