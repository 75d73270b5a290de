from django.db import migrations, models

# What is of a key that two platforms have goes to the one whose role is meant.
OF_CPO, OF_OPEN = ("CPO",), ("CPO", "NAP")
HAVE_TOKENS, OF_READERS = ("EMSP", "OTHER"), ("EMSP", "NSP", "NAP", "OTHER")
SIDES = {
    "locations": {"owner": OF_OPEN, "audience": OF_READERS},
    "tariffs": {"owner": OF_OPEN, "audience": OF_READERS},
    "tokens": {"owner": HAVE_TOKENS, "audience": OF_CPO},
    "sessions": {"owner": OF_CPO, "audience": (*HAVE_TOKENS, "SCSP"), "recipient": HAVE_TOKENS},
    "cdrs": {"owner": OF_CPO, "audience": HAVE_TOKENS, "recipient": HAVE_TOKENS},
}
TABLES = {
    "locations": "hub_location",
    "tariffs": "hub_tariff",
    "tokens": "hub_token",
    "sessions": "hub_session",
    "cdrs": "hub_cdr",
}
SHARED = """
SELECT DISTINCT ON (h.key) h.key, h.name FROM parties_holder h WHERE h.name <> h.key AND EXISTS (
  SELECT FROM parties_party p WHERE p.holder = h.name AND p.role = ANY(%s))
AND NOT EXISTS (SELECT FROM parties_party p WHERE p.holder = h.key AND p.role = ANY(%s))
ORDER BY h.key, h.id"""
OF_SUBSCRIPTIONS = """UPDATE {table} t SET owner = %s FROM hub_subscription b
WHERE b.id = t.subscription_id AND b.module = %s AND t.owner = %s"""


def file_shared(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for module, sides in SIDES.items():
            for side, roles in sides.items():
                cursor.execute(SHARED, [list(roles), list(roles)])
                for key, name in cursor.fetchall():
                    move(cursor, module, side, key, name)


def move(cursor, module, side, key, name):
    cursor.execute(f"UPDATE {TABLES[module]} SET {side} = %s WHERE {side} = %s", [name, key])
    if side != "recipient":
        feed = f"UPDATE hub_change SET {side} = %s WHERE {side} = %s AND module = %s"
        cursor.execute(feed, [name, key, module])
    if side == "owner":
        for table in ("hub_snapshot", "hub_deadletter", "hub_receipt"):
            cursor.execute(OF_SUBSCRIPTIONS.format(table=table), [name, module, key])


# A Session whose token is another's now is no longer its former eMSP's. A trigger sees what another
# writer of the object committed while this one waited for its lock; a statement would not.
HANDED_OVER = """
CREATE FUNCTION hub_hand_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM hub_session s WHERE s.owner = NEW.owner AND s.object_key = NEW.object_key
    AND s.audience = s.recipient AND s.recipient <> NEW.recipient;
  RETURN NULL;
END $$;
CREATE TRIGGER hub_handed_over AFTER INSERT OR UPDATE OF recipient ON hub_session
  FOR EACH ROW WHEN (NEW.recipient <> '') EXECUTE FUNCTION hub_hand_over();
"""
KEPT = """
DROP TRIGGER hub_handed_over ON hub_session;
DROP FUNCTION hub_hand_over();
"""

# A column that a trigger's condition reads cannot be widened.
SPOT = """CREATE TRIGGER hub_spot AFTER INSERT OR UPDATE OF revision ON hub_location
  FOR EACH ROW WHEN (NEW.audience = '') EXECUTE FUNCTION hub_keep_spot()"""
NO_SPOT = "DROP TRIGGER hub_spot ON hub_location"


class Migration(migrations.Migration):

    dependencies = [
        ('hub', '0023_throttled'),
        ('parties', '0005_holders'),
    ]

    operations = [
        migrations.RunSQL(NO_SPOT, SPOT),
        migrations.AlterField(
            model_name='cdr',
            name='audience',
            field=models.CharField(blank=True, default='', help_text='The only party that may see it; empty: all with access', max_length=26),
        ),
        migrations.AlterField(
            model_name='cdr',
            name='owner',
            field=models.CharField(help_text='Country and party that own it, as NL-CPA; @ and its platform', max_length=26),
        ),
        migrations.AlterField(
            model_name='cdr',
            name='recipient',
            field=models.CharField(blank=True, default='', max_length=26),
        ),
        migrations.AlterField(
            model_name='change',
            name='audience',
            field=models.CharField(default='', max_length=26),
        ),
        migrations.AlterField(
            model_name='change',
            name='owner',
            field=models.CharField(max_length=26),
        ),
        migrations.AlterField(
            model_name='deadletter',
            name='owner',
            field=models.CharField(max_length=26),
        ),
        migrations.AlterField(
            model_name='location',
            name='audience',
            field=models.CharField(blank=True, default='', help_text='The only party that may see it; empty: all with access', max_length=26),
        ),
        migrations.AlterField(
            model_name='location',
            name='owner',
            field=models.CharField(help_text='Country and party that own it, as NL-CPA; @ and its platform', max_length=26),
        ),
        migrations.AlterField(
            model_name='receipt',
            name='owner',
            field=models.CharField(max_length=26),
        ),
        migrations.AlterField(
            model_name='session',
            name='audience',
            field=models.CharField(blank=True, default='', help_text='The only party that may see it; empty: all with access', max_length=26),
        ),
        migrations.AlterField(
            model_name='session',
            name='owner',
            field=models.CharField(help_text='Country and party that own it, as NL-CPA; @ and its platform', max_length=26),
        ),
        migrations.AlterField(
            model_name='session',
            name='recipient',
            field=models.CharField(blank=True, default='', max_length=26),
        ),
        migrations.AlterField(
            model_name='snapshot',
            name='owner',
            field=models.CharField(max_length=26),
        ),
        migrations.AlterField(
            model_name='tariff',
            name='audience',
            field=models.CharField(blank=True, default='', help_text='The only party that may see it; empty: all with access', max_length=26),
        ),
        migrations.AlterField(
            model_name='tariff',
            name='owner',
            field=models.CharField(help_text='Country and party that own it, as NL-CPA; @ and its platform', max_length=26),
        ),
        migrations.AlterField(
            model_name='token',
            name='audience',
            field=models.CharField(blank=True, default='', help_text='The only party that may see it; empty: all with access', max_length=26),
        ),
        migrations.AlterField(
            model_name='token',
            name='owner',
            field=models.CharField(help_text='Country and party that own it, as NL-CPA; @ and its platform', max_length=26),
        ),
        migrations.AlterField(
            model_name='posting',
            name='audience',
            field=models.CharField(max_length=26),
        ),
        migrations.AlterField(
            model_name='posting',
            name='owner',
            field=models.CharField(max_length=26),
        ),
        migrations.RunSQL(SPOT, NO_SPOT),
        migrations.RunPython(file_shared, migrations.RunPython.noop),
        migrations.RunSQL(HANDED_OVER, KEPT),
    ]
