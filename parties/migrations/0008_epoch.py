from django.db import migrations

# Begins at the milliseconds of its making: the epochs of a table that is made anew are none of those
# before.
TABLE = """
CREATE TABLE parties_epoch (
  number bigint NOT NULL,
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO parties_epoch (number) VALUES ((extract(epoch FROM clock_timestamp()) * 1000)::bigint);
"""

# Once a transaction, however many rows it changes; the setting ends with it, or with its savepoint.
RAISE = """
CREATE FUNCTION parties_raise_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('parties.epoch_raised', true) IS DISTINCT FROM 'yes' THEN
    UPDATE parties_epoch SET number = number + 1;
    PERFORM set_config('parties.epoch_raised', 'yes', true);
  END IF;
  RETURN NULL;
END $$;
"""

# Of these columns alone a platform's answers depend; all its others change with traffic.
OF_PLATFORM = ('name', 'status', 'version', 'quirks')
# Of the other tables every column counts but these, on which no answer depends.
BUT = {
    'agreement': (),
    'credentials': ('form',),
    'endpoint': (),
    'party': ('name', 'website', 'business_details', 'reported_at'),
}


def _columns(row):
    return f"({', '.join(f'{row}.{column}' for column in OF_PLATFORM)})"


def _but(row, columns):
    return f"(to_jsonb({row}) - '{{{','.join(columns)}}}'::text[])"


CHANGES = {
    'platform': f"{_columns('OLD')} IS DISTINCT FROM {_columns('NEW')}",
    **{
        table: f"{_but('OLD', columns)} IS DISTINCT FROM {_but('NEW', columns)}"
        for table, columns in BUT.items()
    },
}

# Deferred to the commit: the one row is locked last and shortest, so that who waits for it holds up
# nobody who has it. TRUNCATE, which keeps all others out anyway, cannot be deferred.
TRIGGERS = """
CREATE CONSTRAINT TRIGGER parties_epoch_rows AFTER INSERT OR DELETE ON parties_{table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION parties_raise_epoch();
CREATE CONSTRAINT TRIGGER parties_epoch_changes AFTER UPDATE ON parties_{table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({change}) EXECUTE FUNCTION parties_raise_epoch();
CREATE TRIGGER parties_epoch_emptied AFTER TRUNCATE ON parties_{table}
  FOR EACH STATEMENT EXECUTE FUNCTION parties_raise_epoch();
"""
NO_TRIGGERS = """
DROP TRIGGER parties_epoch_rows ON parties_{table};
DROP TRIGGER parties_epoch_changes ON parties_{table};
DROP TRIGGER parties_epoch_emptied ON parties_{table};
"""


class Migration(migrations.Migration):

    dependencies = [
        ('parties', '0007_deviations'),
    ]

    operations = [
        migrations.RunSQL(TABLE, 'DROP TABLE parties_epoch'),
        migrations.RunSQL(RAISE, 'DROP FUNCTION parties_raise_epoch()'),
        *(
            migrations.RunSQL(
                TRIGGERS.format(table=table, change=change), NO_TRIGGERS.format(table=table)
            )
            for table, change in CHANGES.items()
        ),
    ]
