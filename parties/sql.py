"""The SQL of the parties: statements, and what their rows are."""

# ruff: noqa: SLF001, S608 - _meta is the documented way to a table's name; values are parameters

from typing import NamedTuple

from database.sql import Query
from parties.models import Agreement, Credentials, ObservedDeviation, Party, Platform

AGREEMENT = Agreement._meta.db_table
CREDENTIALS = Credentials._meta.db_table
DEVIATION = ObservedDeviation._meta.db_table
PARTY = Party._meta.db_table
PLATFORM = Platform._meta.db_table


# ---------------------------------------------------------------------------------- authentication


class PresentedToken(NamedTuple):
    """What is known of a token that somebody presents, and of its platform."""

    digest: str
    id: int
    kind: str
    last_four: str
    provisional: bool
    form: str
    is_used: bool
    is_revoked: bool
    is_expired: bool
    platform_id: int
    name: str
    status: str
    version: str
    quirks: str
    is_unseen: bool
    """It is time to note again that its platform was heard of."""
    is_back: bool
    """Its platform was in back-off or OFFLINE, and does not refuse the hub's token."""
    is_unconfirmed: bool
    """Another token was issued in its place, and nobody knows whether that arrived."""
    parties: list[list[str]]
    """Of each active party: role, country code, party id, id, holder."""


PRESENTED_TOKEN = Query(
    f"""
SELECT c.digest, c.id, c.kind, c.last_four, c.provisional, c.form, c.first_used_at IS NOT NULL,
       c.revoked_at IS NOT NULL, coalesce(c.valid_until <= statement_timestamp(), false),
       p.id, p.name, p.status, p.version, p.quirks::text,
       p.last_seen_at IS NULL OR p.last_seen_at < statement_timestamp() - %(seen_every)s,
       p.alarm = '' AND (p.failures > 0 OR p.status = %(offline)s),
       EXISTS (SELECT FROM {CREDENTIALS} n WHERE n.replaces_id = c.id
               AND n.first_used_at IS NULL AND n.revoked_at IS NULL AND n.valid_until IS NULL),
       ARRAY(SELECT ARRAY[q.role, q.country_code, q.party_id, q.id::text, q.holder]
             FROM {PARTY} q WHERE q.platform_id = p.id AND q.is_active ORDER BY q.id)
FROM {CREDENTIALS} c JOIN {PLATFORM} p ON p.id = c.platform_id
WHERE c.digest IN (%(first)s, %(last)s)
""",
    PresentedToken,
)
"""Looks up the one or two readings of a header: as two scalars they keep one plan for all calls."""


class OutboundToken(NamedTuple):
    """What the hub presents to a platform."""

    sealed: str
    quirks: str
    platform: str


OUTBOUND_TOKEN = Query(
    f"""
SELECT c.sealed, p.quirks::text, p.name FROM {CREDENTIALS} c
JOIN {PLATFORM} p ON p.id = c.platform_id
WHERE c.platform_id = %(platform)s::bigint AND c.direction = %(direction)s::text LIMIT 1""",
    OutboundToken,
)


# --------------------------------------------------------------------------------------- the epoch

EPOCH_NUMBER = "SELECT number FROM parties_epoch"

_BY_ITSELF = ((AGREEMENT, "valid_from"), (AGREEMENT, "valid_until"), (CREDENTIALS, "valid_until"))
_MOMENTS = " UNION ALL ".join(
    f"SELECT {column} AS moment FROM {table}" for table, column in _BY_ITSELF
)
NEXT_MOMENT = f"""
SELECT extract(epoch FROM min(moment) - statement_timestamp())::float8
FROM ({_MOMENTS}) moments WHERE moment > statement_timestamp()"""
"""Returns in how many seconds the next agreement or token begins or ends by itself, if any does."""


# -------------------------------------------------------------------- holders, pings and deviations

HOLDER_NAME = "SELECT parties_holder_name(%(key)s::text, %(platform)s::bigint)"
"""Returns a holder's name, new if it had none; a function of the database, as a trigger uses it."""


class DuePlatform(NamedTuple):
    """A platform that is to be pinged."""

    id: int
    name: str
    versions_url: str


# greatest() ignores NULL.
CLAIM_DUE_PLATFORMS = Query(
    f"""
UPDATE {PLATFORM} SET last_ping_at = statement_timestamp() WHERE id IN (
  SELECT id FROM {PLATFORM}
  WHERE status = ANY(%(registered)s::text[]) AND versions_url <> ''
    AND (last_ping_at <= statement_timestamp() - %(under_way)s::interval) IS NOT FALSE
    AND (handshake_until <= statement_timestamp()) IS NOT FALSE AND (
    doubted_at > greatest(last_ping_at, '-infinity'::timestamptz)
    OR (next_attempt_at <= statement_timestamp() - %(first_go)s::interval) IS NOT FALSE AND (
      unreachable > 0 OR status = %(offline)s::text
      OR greatest(last_seen_at, last_ping_at, status_changed_at)
        <= statement_timestamp() - %(idle)s::interval))
  ORDER BY last_ping_at NULLS FIRST LIMIT %(at_once)s::bigint FOR UPDATE SKIP LOCKED)
RETURNING id, name, versions_url""",
    DuePlatform,
)
"""A platform is due when it is in doubt (a message met a 401 or 403, or no answer); and, unless it
is in back-off, when it was not reached, is OFFLINE or was silent for the idle time.

After a pause the messages that wait have the first go: a ping that fails begins the next pause."""

ADD_DEVIATIONS = f"""
INSERT INTO {DEVIATION} (platform_id, deviation, about, times, first_at, last_at, example)
SELECT p.id, m.deviation, m.about, m.times, now(), now(), m.example
FROM json_to_recordset(%(met)s::json)
  AS m(platform bigint, deviation text, about text, times bigint, example text)
JOIN {PLATFORM} p ON p.id = m.platform
ORDER BY p.id, m.deviation, m.about
ON CONFLICT (platform_id, deviation, about) DO UPDATE SET
  times = {DEVIATION}.times + excluded.times,
  last_at = excluded.last_at, example = excluded.example
RETURNING id"""
"""Adds to what was counted before; the last example replaces the one before.

Nothing is added of a platform that was deleted meanwhile.
"""


# ------------------------------------------------------------------------------------------ access
#
# Who may exchange what, in two versions: by agreements, or open to all but refused pairs. Other
# statements embed these texts: so all their parameters begin with `access_`.


def _short(text: str) -> str:
    """Collapse white space: psycopg parses a text of more than 4,096 characters anew each time."""
    return " ".join(text.split())


# A holder has no access to itself: it needs no hub for that.
_ROLES_FIT = """owner.holder <> receiver.holder
    AND (owner.role || ' ' || receiver.role) = ANY(%(access_roles)s)"""
_MAY_EXCHANGE = f"""owner.is_active AND receiver.is_active
    AND owner_platform.status <> %(access_suspended)s
    AND receiver_platform.status <> %(access_suspended)s
    AND {_ROLES_FIT}"""
_MAY_MEET = f"owner.platform_id <> receiver.platform_id AND receiver.is_active AND {_ROLES_FIT}"
_COVERED = "(cardinality(agreement.modules) = 0 OR %(access_module)s = ANY(agreement.modules))"
_IN_FORCE = """agreement.state = %(access_active)s
    AND (agreement.valid_from IS NULL OR agreement.valid_from <= statement_timestamp())
    AND (agreement.valid_until IS NULL OR agreement.valid_until > statement_timestamp())"""
_PLATFORMS = f"""
    JOIN {PLATFORM} owner_platform ON owner_platform.id = owner.platform_id
    JOIN {PLATFORM} receiver_platform ON receiver_platform.id = receiver.platform_id"""


def _by_agreement(select: str, where: str) -> str:
    """Select pairs that agreed; either side may be the owner, as far as the roles allow."""
    # A UNION, not a LATERAL: conditions of the embedding query reach the indexes of both halves.
    one, other = (
        f"""
{select}
FROM {AGREEMENT} agreement
JOIN {PARTY} owner ON owner.id = agreement.{owner}
JOIN {PARTY} receiver ON receiver.id = agreement.{receiver}
{_PLATFORMS}
WHERE {where} AND {_IN_FORCE}"""
        for owner, receiver in (("cpo_id", "emsp_id"), ("emsp_id", "cpo_id"))
    )
    return _short(f"{one} UNION {other}")


def _in_open_access(select: str, where: str) -> str:
    """Select all pairs but those whose agreement is suspended."""
    return _short(f"""
{select}
FROM {PARTY} owner CROSS JOIN {PARTY} receiver
{_PLATFORMS}
WHERE {where}
    AND NOT EXISTS (
        SELECT FROM {AGREEMENT} refused WHERE refused.state = %(access_refused)s
        AND (refused.cpo_id, refused.emsp_id) IN ((owner.id, receiver.id), (receiver.id, owner.id)))
""")


# Pairs with access: `owner`, the holder whose objects they are, and `receiver_party_id`.
_PAIR = "SELECT DISTINCT owner.holder AS owner, receiver.id AS receiver_party_id"
PAIRS_BY_AGREEMENT = _by_agreement(_PAIR, f"{_MAY_EXCHANGE} AND {_COVERED}")
PAIRS_IN_OPEN_ACCESS = _in_open_access(_PAIR, _MAY_EXCHANGE)

# Contacts: `party_id`, and the `platform_id` of a party that it may exchange messages with.
_CONTACT = "SELECT owner.id AS party_id, receiver.platform_id"
CONTACTS_BY_AGREEMENT = _by_agreement(_CONTACT, _MAY_MEET)
CONTACTS_IN_OPEN_ACCESS = f"{_in_open_access(_CONTACT, _MAY_MEET)} GROUP BY 1, 2"

# What a party `p` of the embedding statement is to a sender: `is_known` if an agreement on the
# module, or open access, joins them, `may_be_called` if the roles let the sender call it here.
_CALLED = """CASE WHEN %(access_owner_calls)s::boolean
    THEN sender.role || ' ' || p.role ELSE p.role || ' ' || sender.role END"""
_SENDER = "sender.holder = %(access_sender)s AND sender.is_active AND sender.holder <> p.holder"
_PARTNERS = "(agreement.cpo_id, agreement.emsp_id) IN ((p.id, sender.id), (sender.id, p.id))"
REACH_BY_AGREEMENT = _short(f"""
SELECT bool_or({_COVERED}) AS is_known,
  bool_or({_COVERED} AND {_CALLED} = ANY(%(access_roles)s::text[])) AS may_be_called
FROM {PARTY} sender JOIN {AGREEMENT} agreement ON {_PARTNERS}
WHERE {_SENDER} AND {_IN_FORCE}""")
REACH_IN_OPEN_ACCESS = _short(f"""
SELECT bool_or((sender.role || ' ' || p.role) = ANY(%(access_any_roles)s::text[])) AS is_known,
  bool_or({_CALLED} = ANY(%(access_roles)s::text[])) AS may_be_called
FROM {PARTY} sender
WHERE {_SENDER} AND NOT EXISTS (SELECT FROM {AGREEMENT} agreement
  WHERE {_PARTNERS} AND agreement.state = %(access_refused)s)""")


def visible_owners(pairs: str) -> str:
    """Select the holders whose objects the holder `access_reader` may have."""
    return f"SELECT owner FROM ({pairs}) access WHERE {_held_by('access_reader')}"


def receivers(pairs: str) -> str:
    """Select the ids of the parties that may have objects of the holder `access_owner`, sorted."""
    return f"""SELECT receiver_party_id FROM ({pairs}) access
        WHERE owner = %(access_owner)s ORDER BY 1"""


def is_allowed(pairs: str) -> str:
    """Select whether `access_one` and `access_other` are a pair, whichever of them is the owner."""
    ways = [
        f"EXISTS (SELECT FROM ({pairs}) access WHERE owner = %({owner})s AND {_held_by(reader)})"
        for owner, reader in (("access_one", "access_other"), ("access_other", "access_one"))
    ]
    return f"SELECT {' OR '.join(ways)}"


def _held_by(parameter: str) -> str:
    return f"receiver_party_id = ANY(ARRAY(SELECT id FROM {PARTY} WHERE holder = %({parameter})s))"
