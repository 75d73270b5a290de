"""The tables of registration: platforms, parties, credentials, endpoints and agreements."""

from parties.models.agreement import Agreement, AgreementState
from parties.models.credentials import Credentials, Direction, TokenForm, TokenKind
from parties.models.deviation import ObservedDeviation
from parties.models.holder import Holder
from parties.models.party import AllowedParty, Party
from parties.models.platform import Endpoint, Platform, QuirksField

__all__ = [
    "Agreement",
    "AgreementState",
    "AllowedParty",
    "Credentials",
    "Direction",
    "Endpoint",
    "Holder",
    "ObservedDeviation",
    "Party",
    "Platform",
    "QuirksField",
    "TokenForm",
    "TokenKind",
]
