from django.db import migrations, models

# Of two that post at the same time in one slot, one waits for the end of the other's statement.
KEPT = """
LOCK TABLE hub_cdr IN SHARE ROW EXCLUSIVE MODE;
CREATE FUNCTION hub_keep_billed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO hub_billed AS b (hour, slot, number, kwh)
  SELECT date_trunc('hour', posted_at, 'UTC'), pg_backend_pid() % 16, count(*),
    coalesce(sum(kwh), 0)
  FROM added GROUP BY 1 ORDER BY 1
  ON CONFLICT (hour, slot) DO UPDATE
    SET number = b.number + EXCLUDED.number, kwh = b.kwh + EXCLUDED.kwh;
  RETURN NULL;
END $$;
CREATE TRIGGER hub_billed AFTER INSERT ON hub_cdr REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION hub_keep_billed();
INSERT INTO hub_billed (hour, slot, number, kwh)
SELECT date_trunc('hour', posted_at, 'UTC'), 0, count(*), coalesce(sum(kwh), 0)
FROM hub_cdr WHERE posted_at >= date_trunc('day', now(), 'UTC') GROUP BY 1;
"""
GONE = """
DROP TRIGGER hub_billed ON hub_cdr;
DROP FUNCTION hub_keep_billed;
"""

class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0012_fill_figures'),
    ]

    operations = [
        migrations.CreateModel(
            name='Billed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('slot', models.SmallIntegerField()),
                ('number', models.BigIntegerField()),
                ('kwh', models.FloatField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('hour', 'slot'), name='hub_billed_once')],
            },
        ),
        migrations.RunSQL(KEPT, GONE),
    ]
