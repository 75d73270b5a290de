"""`python -m bench.bulk_hub JSON`: a hub of a given size, written into an empty database.

Its measured parties are those of every benchmark, with a token, a sink and the same agreements
whatever the size; all others are there so that there are many: CPOs, each with its share of the
Locations as one list read after the other left them, and eMSPs. Prints what a client needs: the
tokens, and the cookie of an administrator's session.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

from bench import objects
from bench.environment import SMALL_CPO, Testbed, connection, emsp
from bench.objects import CPO
from ocpi.types import ModuleID, PartyRef

if TYPE_CHECKING:
    from parties.models import Party

RECEIVERS = 10
PARTNERS = 8
"""CPOs among the many with which each measured eMSP agreed."""
MEASURED = 200
"""Locations of the measured CPO, the first ones."""
_SHARE_OF_CPOS = 5
"""One platform in so many is a CPO's."""
_STRETCH = 20_000
"""Locations copied by one statement."""
_COUNTING_SECONDS = 300.0
"""In which places on the map and statuses of EVSEs are counted; what is left, workers count."""
_BAR = 30
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class HubSize:
    """How many platforms, agreements and Locations a hub has."""

    platforms: int
    agreements: int
    locations: int

    def scaled(self, share: float) -> "HubSize":
        """Return a smaller hub that still has all that is measured."""
        least = (RECEIVERS + 2) + (PARTNERS + 1) * _SHARE_OF_CPOS
        return HubSize(
            max(int(self.platforms * share), least),
            int(self.agreements * share),
            max(int(self.locations * share), MEASURED * 2),
        )

    def __str__(self) -> str:
        return (
            f"{self.platforms:,} platforms, {self.agreements:,} agreements,"
            f" {self.locations:,} Locations"
        )


LARGE = HubSize(1_000, 10_000, 1_000_000)
SMALL = HubSize(60, 100, 10_000)


@dataclass(frozen=True, slots=True)
class Access:
    """What a client of the filled hub needs; parties by name, as `NL-CPA`."""

    tokens: Mapping[str, str]
    cookie: str


def fill(size: HubSize, sinks: Sequence[str]) -> Access:
    """Make the hub of the settings' database; says how far it is on standard error."""
    from django.core.management import call_command  # noqa: PLC0415 - Django is set up by now

    from bench.parties import connect  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    readers = [emsp(number) for number in range(RECEIVERS)]
    tokens = connect(CPO, SMALL_CPO, readers, sinks)
    cpos = _others(size, readers)
    database_url = os.environ["DATABASE_URL"]
    testbed = Testbed(os.environ["HUB_PUBLIC_URL"], tokens, tuple(sinks), database_url)
    _locations(testbed, cpos, size.locations)
    _settled(testbed)
    return Access({str(ref): token for ref, token in tokens.items()}, _cookie())


def _others(size: HubSize, readers: Sequence[PartyRef]) -> list[str]:
    """Add the many platforms with their parties and agreements; return the CPOs' holders."""
    from parties.models import Agreement, Party  # noqa: PLC0415 - Django is set up by now

    number = size.platforms - len(readers) - 2
    made = list(_platforms(number))
    cpos = [party for party in made if party.role == "CPO"]
    emsps = [party for party in made if party.role == "EMSP"]
    measured = Party.objects.filter(key__in=[str(ref) for ref in readers])
    chosen = cpos[:: max(len(cpos) // PARTNERS, 1)][:PARTNERS]
    every = list(product(cpos, emsps))
    some = Random(1).sample(every, min(size.agreements, len(every)))
    pairs = [*product(chosen, measured), *some]
    Agreement.objects.bulk_create([Agreement(cpo=cpo, emsp=reader) for cpo, reader in pairs])
    return list(Party.objects.filter(pk__in=[p.pk for p in cpos]).values_list("holder", flat=True))


def _platforms(number: int) -> Iterator["Party"]:
    """Write so many connected platforms, each with tokens, endpoints and one party."""
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    from parties import tokens  # noqa: PLC0415
    from parties.connection_status import ConnectionStatus  # noqa: PLC0415
    from parties.models import Credentials, Endpoint, Party, Platform  # noqa: PLC0415

    platforms = Platform.objects.bulk_create(
        Platform(
            name=f"platform {n}",
            versions_url="",  # behind the sinks nobody answers a ping
            version="2.2.1",
            status=ConnectionStatus.CONNECTED,
            quirks={"pull": False},
            last_seen_at=timezone.now(),
        )
        for n in range(number)
    )
    kept = tokens.seal("token-of-many")
    Credentials.objects.bulk_create(
        Credentials(platform=each, direction=direction, digest=digest, sealed=sealed)
        for n, each in enumerate(platforms)
        for direction, digest, sealed in (("IN", f"{n:064x}", ""), ("OUT", None, kept))
    )
    cpos = ("locations", "SENDER"), ("tokens", "RECEIVER")
    emsps = ("locations", "RECEIVER"), ("tokens", "SENDER")
    Endpoint.objects.bulk_create(
        Endpoint(platform=each, module=module, role=role, url="http://127.0.0.1:9/none")
        for n, each in enumerate(platforms)
        for module, role in (emsps if n % _SHARE_OF_CPOS else cpos)
    )
    yield from Party.objects.bulk_create(
        Party(
            platform=each,
            role="EMSP" if n % _SHARE_OF_CPOS else "CPO",
            country_code="FR",
            party_id=_name(n),
            is_active=True,
            claimed_at=timezone.now(),
        )
        for n, each in enumerate(platforms)
    )


def _name(number: int) -> str:
    """Write a number as a party id: three characters."""
    base = len(_DIGITS)
    return "".join(_DIGITS[number // base**place % base] for place in (2, 1, 0))


def _locations(testbed: Testbed, cpos: Sequence[str], count: int) -> None:
    """Store one Location as the hub does; copy it for the measured CPO, then for each other."""
    from bench import bulk_rows  # noqa: PLC0415 - Django is set up by now
    from bench.write_requests import write_request  # noqa: PLC0415
    from hub import store  # noqa: PLC0415

    template = objects.put(ModuleID.LOCATIONS)
    message = write_request(
        ModuleID.LOCATIONS,
        "PUT",
        CPO,
        template.object_id,
        path=template.path,
        body=template.body,
    )
    store.apply(message)
    bar = Bar(count, "Locations")
    for done in bulk_rows.copies_of_owners(
        testbed, template, [(str(CPO), MEASURED), *_shares(cpos, count - MEASURED)], _STRETCH
    ):
        bar.show(done)
    bar.end()


def _shares(cpos: Sequence[str], count: int) -> Iterator[tuple[str, int]]:
    """Divide so many Locations among CPOs."""
    share, rest = divmod(count, len(cpos))
    for place, cpo in enumerate(cpos):
        yield cpo, share + (place < rest)


def _settled(testbed: Testbed) -> None:
    """Leave no work behind: receivers are at the end of the feed, and figures are counted."""
    from bench.receivers import skip_to_present  # noqa: PLC0415 - Django is set up by now
    from hub.statistics import follower  # noqa: PLC0415

    follower.recount()
    follower.follow(seconds=_COUNTING_SECONDS)
    skip_to_present(testbed)
    with connection(testbed) as db:
        db.execute("VACUUM ANALYZE")


def _cookie() -> str:
    """Log an administrator in; return the cookie of the session."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - Django is set up by now
    from django.test import Client  # noqa: PLC0415

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return "; ".join(f"{name}={each.value}" for name, each in client.cookies.items())


class Bar:
    """A bar on standard error that grows with the work; only where a person may look at it."""

    def __init__(self, whole: int, what: str) -> None:
        """Begin at nothing."""
        self._whole, self._what = max(whole, 1), what
        self._began = time.monotonic()
        self._is_seen = sys.stderr.isatty()

    def show(self, done: int) -> None:
        """Draw it anew."""
        if self._is_seen:
            filled = min(done * _BAR // self._whole, _BAR)
            drawn = "█" * filled + "·" * (_BAR - filled)
            print(f"\r{drawn} {done:,} {self._what}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Say how long all of it took."""
        seconds = time.monotonic() - self._began
        start = "\r" if self._is_seen else ""
        print(f"{start}{self._whole:,} {self._what} in {seconds:,.0f} s", file=sys.stderr)


def main(asked: Mapping[str, Any]) -> None:
    """Fill, and print what is needed as JSON."""
    import django  # noqa: PLC0415 - the environment names the settings by now

    django.setup()
    print(json.dumps(asdict(fill(HubSize(**asked["size"]), asked["sinks"]))))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
