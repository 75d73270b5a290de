"""One module between the owner of its objects and those who read them, whichever module it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ocpi.types import PartyRef
from sandbox import Crawl, Result, SandboxPlatform, Seen, object_path
from tests.cast import CPA, HUB, MIX, MSA, MSB, Cast
from tests.ocpi.objects import Json, a_cdr, a_session, a_tariff, a_token, location

Body = Json | bytes | None
Reader = tuple[str, PartyRef]
"""A platform of the cast and the party that reads there."""

_CPO: Reader = ("P1", CPA)
_EMSP: Reader = ("P2", MSA)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a module's objects are made; an object of a personal module names its only reader."""

    module: str
    build: Callable[..., Json]
    id_field: str = "id"
    is_personal: bool = False
    is_posted: bool = False
    owner: Reader = _CPO
    readers: tuple[Reader, Reader] = (_EMSP, ("P3", MSB))

    def make(self, number: int, *, reader: int = 0, **changes: Any) -> Json:
        """Make the object with this number, right in every field."""
        value = self.build(**{self.id_field: f"X{number}"})
        if self.is_personal:
            party = self.readers[reader][1]
            value["cdr_token"] |= {"country_code": party.country_code, "party_id": party.party_id}
        return value | changes


TARIFFS = Kind("tariffs", a_tariff)
LOCATIONS = Kind("locations", location)
TOKENS = Kind("tokens", a_token, id_field="uid", owner=_EMSP, readers=(_CPO, ("P4", MIX)))
SESSIONS = Kind("sessions", a_session, is_personal=True)
CDRS = Kind("cdrs", a_cdr, is_personal=True, is_posted=True)
PUT = (TARIFFS, LOCATIONS, TOKENS, SESSIONS)
PATCHED = (LOCATIONS, TOKENS, SESSIONS)
ALL = (*PUT, CDRS)


def each(*kinds: Kind) -> pytest.MarkDecorator:
    """Run a test for each of these modules."""
    return pytest.mark.parametrize("kind", kinds, ids=[kind.module for kind in kinds])


@dataclass(frozen=True, slots=True)
class Trade:
    """The owner of a module's objects at its platform, speaking to the hub, and its readers."""

    kind: Kind
    cast: Cast

    @property
    def platform(self) -> SandboxPlatform:
        """The owner's platform."""
        return self.cast[self.kind.owner[0]]

    @property
    def party(self) -> PartyRef:
        """The owner."""
        return self.kind.owner[1]

    def reader(self, number: int = 0) -> SandboxPlatform:
        """Return the platform of a reader."""
        return self.cast[self.kind.readers[number][0]]

    def agree(self, *numbers: int) -> "Trade":
        """Let these readers, and the owner, be registered and agree with each other."""
        assert self.platform
        for number in numbers:
            assert self.reader(number)
            sides = [str(self.party), str(self.kind.readers[number][1])]
            cpo, emsp = sides if self.party == CPA else reversed(sides)
            self.cast.agree((cpo, emsp))
        return self

    def send(
        self, method: str, identifier: str, body: Body = None, *, query: str = "", **how: Any
    ) -> Result:
        """Send a message about an object to its RECEIVER interface, as its owner, to the hub."""
        path = object_path(self.party, identifier) + query
        how = {"to": HUB, "sender": self.party, **how}
        return self.platform.hub.send(method, self.kind.module, "RECEIVER", path, body, **how)

    def push(self, value: Json, **how: Any) -> Result:
        """PUT a whole object, or POST it where that is the way."""
        if not self.kind.is_posted:
            return self.send("PUT", value[self.kind.id_field], value, **how)
        how = {"to": HUB, "sender": self.party, **how}
        return self.platform.hub.post(self.kind.module, "RECEIVER", body=value, **how)

    def push_new(self, *values: Json) -> None:
        """Push objects that are new to the hub."""
        for value in values:
            result = self.push(value)
            assert (result.http_status, result.status_code) == (201, 1000), str(result)

    def get(self, identifier: str, **how: Any) -> Any:
        """Return what the hub holds, None for nothing."""
        result = self.send("GET", identifier, **how)
        assert result.http_status in {200, 404}
        return result.data

    def crawl(self, reader: int = 0, *, follow: bool = True, **query: Any) -> Crawl:
        """Read the list as a reader."""
        party = self.kind.readers[reader][1]
        return self.reader(reader).hub.list(
            self.kind.module, query, to=HUB, sender=party, follow=follow
        )

    def page(self, reader: int = 0, **query: Any) -> Result:
        """Read one page as a reader."""
        return self.crawl(reader, follow=False, **query).pages[0]

    def ids(self, values: list[Json]) -> list[str]:
        """Name objects by their ids."""
        return [value[self.kind.id_field] for value in values]

    def listed(self, reader: int = 0, **query: Any) -> list[str]:
        """Return the ids of one page, which has to be right."""
        page = self.page(reader, **query)
        assert (page.http_status, page.status_code) == (200, 1000), str(page)
        return self.ids(page.data)

    def pushes(self, reader: int = 0) -> list[Seen]:
        """Return what a reader's platform saw of the module without being asked."""
        name = f"/{self.kind.module}"
        return [
            seen for seen in self.reader(reader).seen if name in seen.path and seen.method != "GET"
        ]
