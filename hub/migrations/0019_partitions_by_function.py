from django.db import migrations

# The hub's processes may read and write rows, not make tables. Days of the message log come and go all
# the same: by functions that run with the rights of whoever migrated, and do nothing else with them.
# A day is named by its date alone, so no other table can be meant.
FUNCTIONS = """
CREATE FUNCTION hub_exchange_add_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
  name text := 'hub_exchange_' || to_char(day, 'YYYYMMDD');
  low timestamptz := day;
  high timestamptz := day + 1;
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE hub_exchange INCLUDING ALL)', name);
  LOCK TABLE hub_exchange, hub_exchange_default IN EXCLUSIVE MODE;
  EXECUTE format(
    'WITH moved AS (DELETE FROM hub_exchange_default WHERE at >= $1 AND at < $2 RETURNING *)'
    ' INSERT INTO %I SELECT * FROM moved', name) USING low, high;
  EXECUTE format(
    'ALTER TABLE hub_exchange ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, low, high);
END $$;

CREATE FUNCTION hub_exchange_drop_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET lock_timeout = '5s' AS $$
BEGIN
  EXECUTE format('DROP TABLE %I', 'hub_exchange_' || to_char(day, 'YYYYMMDD'));
END $$;

-- With the rights of another, names must not be looked up where the caller says.
DO $$ BEGIN
  EXECUTE format(
    'ALTER FUNCTION hub_exchange_add_day(date) SET search_path = %I, pg_temp', current_schema());
  EXECUTE format(
    'ALTER FUNCTION hub_exchange_drop_day(date) SET search_path = %I, pg_temp', current_schema());
END $$;
"""
DROP = "DROP FUNCTION hub_exchange_add_day(date); DROP FUNCTION hub_exchange_drop_day(date)"


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0018_postings'),
    ]

    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
