from django.db import migrations, models

# A name is given once and stays: looked up first, given under a lock of the key, so that two
# platforms that bring one key at the same moment get two names.
NAME = """
CREATE FUNCTION parties_holder_name(wanted text, at bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
  SELECT h.name INTO found FROM parties_holder h WHERE h.key = wanted AND h.platform = at;
  IF found IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('parties_holder/' || wanted, 0));
    INSERT INTO parties_holder (key, platform, name)
    SELECT wanted, at, CASE WHEN EXISTS (SELECT FROM parties_holder h WHERE h.key = wanted)
      THEN wanted || '@' || at ELSE wanted END
    ON CONFLICT (key, platform) DO NOTHING;
    SELECT h.name INTO found FROM parties_holder h WHERE h.key = wanted AND h.platform = at;
  END IF;
  RETURN found;
END $$;
"""

# What is a party's goes with it when it moves to another platform, unless something of the same key
# stays behind, or is there already.
FILED = """
CREATE FUNCTION parties_file_party() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE own CONSTANT text := NEW.country_code || '-' || NEW.party_id;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.platform_id <> OLD.platform_id
    AND NOT EXISTS (SELECT FROM parties_party p WHERE p.id <> OLD.id
      AND p.platform_id = OLD.platform_id AND p.holder = OLD.holder)
    AND NOT EXISTS (SELECT FROM parties_holder h
      WHERE h.key = own AND h.platform = NEW.platform_id)
  THEN
    UPDATE parties_holder SET platform = NEW.platform_id WHERE name = OLD.holder AND key = own;
  END IF;
  NEW.holder := parties_holder_name(own, NEW.platform_id);
  RETURN NEW;
END $$;
CREATE TRIGGER parties_filed BEFORE INSERT OR UPDATE OF platform_id, holder ON parties_party
  FOR EACH ROW EXECUTE FUNCTION parties_file_party();
"""
UNFILED = """
DROP TRIGGER parties_filed ON parties_party;
DROP FUNCTION parties_file_party();
"""

# Who was there first is filed under the key alone, as all that is stored of it is.
FILE_ALL = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT id FROM parties_party ORDER BY id LOOP
    UPDATE parties_party SET holder = '' WHERE id = one.id;
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('parties', '0004_asked_once_more'),
    ]

    operations = [
        migrations.CreateModel(
            name='Holder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=6)),
                ('platform', models.BigIntegerField(help_text='Its id, also when it is forgotten')),
                ('name', models.CharField(help_text='DE-MSA, or DE-MSA@17', max_length=26, unique=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key', 'platform'), name='parties_holder_once')],
            },
        ),
        migrations.AddField(
            model_name='party',
            name='holder',
            field=models.CharField(db_default='', db_index=True, editable=False, help_text="Under which name the hub files what is the party's at this platform", max_length=26),
        ),
        migrations.RunSQL(NAME, 'DROP FUNCTION parties_holder_name(text, bigint)'),
        migrations.RunSQL(FILED, UNFILED),
        migrations.RunSQL(FILE_ALL, migrations.RunSQL.noop),
    ]
