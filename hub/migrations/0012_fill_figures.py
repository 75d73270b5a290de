"""What the hub held before it kept figures: places on the map, EVSEs' histories, the last day's counts.

In batches that are committed one by one, beside a hub that is at work; again is as good as once.
"""

from django.db import OperationalError, migrations

# Delivery waits for the transaction that writes one.
BATCH = 200
TRIES = 5

# The trigger that keeps a Location's place runs when its revision is set, also to what it is.
PLACES = r"""
UPDATE hub_location o SET revision = o.revision,
  latitude = coalesce(o.latitude, substring(o.text FROM
    '"coordinates"\s*:\s*\{[^{}]*"latitude"\s*:\s*"?(-?[0-9]{1,3}(?:\.[0-9]{1,15})?)')::float),
  longitude = coalesce(o.longitude, substring(o.text FROM
    '"coordinates"\s*:\s*\{[^{}]*"longitude"\s*:\s*"?(-?[0-9]{1,3}(?:\.[0-9]{1,15})?)')::float)
WHERE o.seq > %(after)s AND o.seq <= %(upto)s
  AND (o.latitude IS NULL OR NOT EXISTS (SELECT FROM hub_spot s WHERE s.location_id = o.seq))"""

# An EVSE without any change was as it is since changes are noted; before that, nobody knows.
HISTORIES = """
INSERT INTO hub_evsechange (evse_id, minute, at, before, status)
SELECT e.id, date_trunc('minute', m.applied), m.applied, '',
  CASE WHEN e.generation = o.generation THEN e.status ELSE '' END
FROM django_migrations m, hub_location o JOIN hub_evse e ON e.object_id = o.seq
WHERE o.seq > %(after)s AND o.seq <= %(upto)s AND m.app = 'hub' AND m.name = '0008_dashboard'
  AND NOT EXISTS (SELECT FROM hub_evsechange c WHERE c.evse_id = e.id)
ON CONFLICT DO NOTHING"""

# While this waits for an EVSE's row, its Location may be put with it again: that row is then newer than
# the Location that was read.
LEFT = """
UPDATE hub_evse e SET generation = 0 FROM hub_location o
WHERE o.seq > %(after)s AND o.seq <= %(upto)s AND e.object_id = o.seq
  AND e.generation <> 0 AND e.generation < o.generation"""

# The dashboard looks back a day; what was logged since counting began is counted.
TRAFFIC = """
INSERT INTO hub_traffic (minute, module, direction, number, failed, milliseconds)
SELECT date_trunc('minute', x.at), x.module, x.direction, count(*),
  count(*) FILTER (WHERE coalesce(x.status_code / 1000, 0) <> 1), sum(x.milliseconds)
FROM hub_exchange x, django_migrations m
WHERE m.app = 'hub' AND m.name = '0008_dashboard' AND x.at > now() - interval '1 day'
  AND x.at < date_trunc('minute', m.applied)
GROUP BY 1, 2, 3
ON CONFLICT DO NOTHING"""
FAILURES = """
INSERT INTO hub_failure (hour, party, module, code, number)
SELECT date_trunc('hour', x.at), coalesce(p.key, ''), x.module,
  CASE WHEN x.status_code IN (2000, 2001, 2002, 2003, 2004, 3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003)
      THEN x.status_code
    WHEN x.status_code BETWEEN 1000 AND 4999 THEN x.status_code / 100 * 100
    WHEN x.http_status BETWEEN 100 AND 599 THEN x.http_status ELSE 0 END, count(*)
FROM django_migrations m, hub_exchange x
LEFT JOIN (SELECT DISTINCT key FROM parties_party) p
  ON p.key = CASE x.direction WHEN 'in' THEN x.sender ELSE x.receiver END
WHERE m.app = 'hub' AND m.name = '0008_dashboard' AND x.at > now() - interval '1 day'
  AND x.at < date_trunc('hour', m.applied) AND coalesce(x.status_code / 1000, 0) <> 1
GROUP BY 1, 2, 3, 4
ON CONFLICT DO NOTHING"""


def next_of(cursor, after):
    cursor.execute(
        "SELECT max(seq) FROM (SELECT seq FROM hub_location WHERE seq > %s ORDER BY seq LIMIT %s) AS o",
        [after, BATCH],
    )
    return cursor.fetchone()[0]


# Who writes beside this may lock the same rows in another order: who has to give way begins again.
def write(cursor, sql, values=None):
    for tries in range(1, TRIES + 1):
        try:
            return cursor.execute(sql, values)
        except OperationalError:
            if tries == TRIES:
                raise


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        after = 0
        while (upto := next_of(cursor, after)) is not None:
            for sql in (PLACES, HISTORIES, LEFT):
                write(cursor, sql, {"after": after, "upto": upto})
            after = upto
        for sql in (TRAFFIC, FAILURES):
            write(cursor, sql)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('hub', '0011_evses_that_left'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
