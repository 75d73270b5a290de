"""One right object of each module, whose it is, and how it is sent to the hub and read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ocpi.types import PartyRef
from sandbox import Result, SandboxPlatform
from sandbox.client import Body
from sandbox.platform import object_path
from tests.cast import CPA, HUB, MSA
from tests.ocpi import objects

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """A module by an object of it: `kind` is its class, `platform` its owner's, of the cast."""

    module: str
    kind: str
    value: Json
    platform: str = "P1"
    owner: PartyRef = CPA
    reader: PartyRef = MSA
    id_field: str = "id"

    @property
    def posted(self) -> bool:
        """Whether it is created by POST."""
        return self.module == "cdrs"

    def path(self, identifier: str) -> str:
        """Give the raw path of an object below its endpoint."""
        return "" if self.posted else object_path(self.owner, identifier)

    def send(
        self, platform: SandboxPlatform, body: Body = None, *, to: PartyRef | None = HUB
    ) -> Result:
        """PUT or POST the object, or this body instead of it."""
        method, path = ("POST" if self.posted else "PUT"), self.path(self.value[self.id_field])
        content = self.value if body is None else body
        return platform.hub.send(
            method, self.module, "RECEIVER", path, content, to=to, sender=self.owner
        )


SIGNED: Mapping[str, object] = {
    "encoding_method": "OCMF",
    "encoding_method_version": 1,
    "public_key": "3059301306072A8648CE3D",
    "signed_values": [{"nature": "Start", "plain_data": "a;b", "signed_data": "b64:="}],
    "url": "https://verify.example/?q=1",
}

TARIFF = Sample(
    "tariffs",
    "Tariff",
    objects.a_tariff(
        tariff_alt_text=[{"language": "nl", "text": "€ 0,25 per kWh"}],
        min_price={"excl_vat": 0.5, "incl_vat": 0.6},
        energy_mix={
            "is_green_energy": True,
            "energy_sources": [{"source": "WIND", "percentage": 100.0}],
        },
    ),
)
LOCATION = Sample("locations", "Location", objects.location())
TOKEN = Sample(
    "tokens",
    "Token",
    objects.a_token(energy_contract={"supplier_name": "Stadtwerke", "contract_id": "C-1"}),
    platform="P2",
    owner=MSA,
    reader=CPA,
    id_field="uid",
)
SESSION = Sample("sessions", "Session", objects.a_session())
CDR = Sample("cdrs", "CDR", objects.a_cdr(signed_data=SIGNED))
SAMPLES = (TARIFF, LOCATION, TOKEN, SESSION, CDR)
