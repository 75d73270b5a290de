from django.db import migrations

# An EVSE that a full PUT of its Location left out has generation 0, which no text has: that it left is
# a change of its status to nothing, and when it comes back, one from nothing. The clock is read while
# its row is locked: a transaction that waited for it may have begun before the one it waited for.
# Who writes a Location locks its table before that of its EVSEs; who would do it the other way round
# would wait for a writer that waits for it.
LEAVING = """
LOCK TABLE hub_location IN SHARE ROW EXCLUSIVE MODE;
CREATE OR REPLACE FUNCTION hub_note_status() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moment CONSTANT timestamptz := clock_timestamp();
BEGIN
  INSERT INTO hub_evsechange (evse_id, minute, at, before, status)
  VALUES (NEW.id, date_trunc('minute', moment), moment,
    CASE WHEN TG_OP = 'INSERT' OR OLD.generation = 0 THEN '' ELSE OLD.status END,
    CASE WHEN NEW.generation = 0 THEN '' ELSE NEW.status END)
  ON CONFLICT (evse_id, minute) DO UPDATE SET at = EXCLUDED.at, status = EXCLUDED.status;
  RETURN NULL;
END $$;
DROP TRIGGER hub_status_changed ON hub_evse;
CREATE TRIGGER hub_status_changed AFTER UPDATE OF status, generation ON hub_evse
  FOR EACH ROW WHEN ((OLD.generation = 0) <> (NEW.generation = 0)
    OR NEW.generation <> 0 AND OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION hub_note_status();

CREATE FUNCTION hub_mark_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hub_evse SET generation = 0 WHERE object_id = NEW.seq AND generation = OLD.generation;
  RETURN NULL;
END $$;
CREATE TRIGGER hub_evses_left AFTER UPDATE OF generation ON hub_location
  FOR EACH ROW WHEN (OLD.generation <> NEW.generation) EXECUTE FUNCTION hub_mark_left();
"""
# What notes a status may stay: it does for the code before what that did.
GONE = """
DROP TRIGGER hub_evses_left ON hub_location;
DROP FUNCTION hub_mark_left;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0010_export_permission'),
    ]

    operations = [
        migrations.RunSQL(LEAVING, reverse_sql=GONE),
    ]
