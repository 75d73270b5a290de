"""Real-time authorization: the eMSP says whether a driver may charge.

Spec: 2.2.1 mod_tokens, real-time authorization. To OCPI a refusal is a successful answer, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from ocpi.errors import NotEnoughInformation, UnknownToken
from ocpi.types import PartyRef, fold
from sandbox.object_store import ObjectStore, read_object
from sandbox.quirks import Quirks
from sandbox.recorder import Seen
from sandbox.server import Answer


@dataclass(frozen=True, slots=True)
class Authorization:
    """The answers of one platform about the tokens it issued.

    `verdicts` by uid, such as EXPIRED or NO_CREDIT, go before what a token's `valid` says.
    """

    quirks: Quirks
    parties: frozenset[PartyRef]
    own: Mapping[str, ObjectStore]
    verdicts: dict[str, str] = field(default_factory=dict)

    def answer(self, uid: str, seen: Seen) -> Answer:
        """Answer with AuthorizationInfo; raises UnknownToken or NotEnoughInformation."""
        token = self._token(uid, seen)
        references = read_object(seen.body) if seen.body.strip() else None
        if references is None and self.quirks.needs_location:
            raise NotEnoughInformation("where does the driver want to charge?")
        usual = "ALLOWED" if token["valid"] is True else "BLOCKED"
        return self.quirks.success(
            {
                "allowed": self.verdicts.get(uid, usual),
                "token": token,
                **({} if references is None else {"location": references}),
                "authorization_reference": str(uuid4()),
            }
        )

    def _token(self, uid: str, seen: Seen) -> Mapping[str, object]:
        """Find the token of the addressed party, or of any when none of ours is addressed."""
        store = self.own["tokens"]
        variant = store.kind.variant
        kind = seen.query.get(variant.member, variant.default) if variant else ""
        for key in store:
            token = read_object(store[key])
            is_asked = seen.to not in self.parties or PartyRef(*key[:2]) == seen.to
            if is_asked and key[2] == fold(uid) and token["type"] == kind:
                return token
        raise UnknownToken(f"unknown {kind} Token", http_status=404)
