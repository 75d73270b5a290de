"""The contracts of the sessions and CDRs that are there: a driver is found by them.

In batches that are committed one by one, beside a hub that is at work; again is as good as once.
"""

from django.db import DataError, migrations

BATCH = 1_000
FILL = """
UPDATE {table} SET contract_key = upper(text::json #>> '{{cdr_token,contract_id}}')
WHERE seq > %(after)s AND seq <= %(upto)s AND contract_key = ''
  AND json_typeof(text::json #> '{{cdr_token,contract_id}}') = 'string'"""
NEXT = "SELECT max(seq) FROM (SELECT seq FROM {table} WHERE seq > %s ORDER BY seq LIMIT %s) AS o"


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for table in ("hub_session", "hub_cdr"):
            after = 0
            while True:
                cursor.execute(NEXT.format(table=table), [after, BATCH])
                [upto] = cursor.fetchone()
                if upto is None:
                    break
                fill_from(cursor, table, after, upto)
                after = upto


# A text that has a NUL where the contract should be is not worth a batch.
def fill_from(cursor, table, after, upto):
    try:
        cursor.execute(FILL.format(table=table), {"after": after, "upto": upto})
    except DataError:
        if upto - after > 1:
            middle = (after + upto) // 2
            fill_from(cursor, table, after, middle)
            fill_from(cursor, table, middle, upto)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('hub', '0016_drivers'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
