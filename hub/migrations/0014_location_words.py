from django.db import migrations

# Locations are found by parts of words. Where the extension may not be had, by reading them all.
WORDS = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX hub_location_words ON hub_location USING gin (
    upper(object_id) gin_trgm_ops, upper(name) gin_trgm_ops, upper(city) gin_trgm_ops)
    WITH (gin_pending_list_limit = 256);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
  RAISE NOTICE 'without pg_trgm searching locations takes a second for each half million: %', SQLERRM;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0013_billed'),
    ]

    operations = [
        migrations.RunSQL(WORDS, 'DROP INDEX IF EXISTS hub_location_words'),
    ]
