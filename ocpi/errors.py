"""Everything that can go wrong in an OCPI conversation, one class per status code.

Specification: status_codes.

    OcpiError
    ├── ClientError                 2000
    │   ├── InvalidParameters       2001
    │   ├── NotEnoughInformation    2002
    │   ├── UnknownLocation         2003
    │   ├── UnknownToken            2004
    │   ├── NotJson                 2001, HTTP 400
    │   ├── Unauthenticated         2001, HTTP 401
    │   ├── NotFound                2001, HTTP 404
    │   ├── MethodNotAllowed        2001, HTTP 405
    │   ├── BodyTooLarge            2001, HTTP 413
    │   └── TooManyRequests         2000, HTTP 429
    ├── ServerError                 3000
    │   ├── UnusableApi             3001
    │   ├── UnsupportedVersion      3002
    │   └── NoMatchingEndpoints     3003
    └── HubError                    4000
        ├── UnknownReceiver         4001
        ├── ReceiverTimeout         4002
        └── ReceiverNotConnected    4003

Without an HTTP status of its own an error travels as HTTP 200: the request did reach OCPI.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ocpi.status_codes import StatusCode

FINDINGS_IN_A_MESSAGE = 20
LONGEST_MESSAGE = 2000
"""Characters."""


class Fault(StrEnum):
    """The kinds of mistakes in a received object for which there is a hint what would help."""

    REQUIRED = "required"
    TYPE = "type"
    TIMESTAMP = "timestamp"
    LENGTH = "length"
    CHARACTERS = "characters"
    VALUE = "value"
    RANGE = "range"
    FORMAT = "format"
    RELATION = "relation"
    NOT_AN_OBJECT = "not an object"
    NOT_JSON = "not JSON"
    REPEATED_ID = "repeated id"
    FOREIGN_OWNER = "foreign owner"
    IMMUTABLE = "immutable"
    NO_TOKEN_OWNER = "no token owner"  # noqa: S105 - no secret


class Severity(StrEnum):
    """What becomes of a received object because of a mistake in it, from the least to the worst.

    What is to be set aside is a part of it, an EVSE or Connector, that nobody could use; where the
    parts of an object stand and fall with it, that refuses the object.
    """

    REPAIR = "repaired"
    REPORT = "reported"
    SET_ASIDE = "set aside"
    REFUSE = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in a received object: the path to it, what it is, its kind if it has one."""

    path: str
    text: str
    fault: Fault | None = field(default=None, compare=False)
    severity: Severity = field(default=Severity.REFUSE, compare=False)

    def __str__(self) -> str:
        """Read as `evses[0].uid: required`, or as the text alone for the object as a whole."""
        return f"{self.path}: {self.text}" if self.path else self.text


class OcpiError(Exception):
    """Anything that ends in an OCPI status code other than success."""

    status_code: StatusCode = StatusCode.SERVER_ERROR
    http_status: int = 200

    def __init__(
        self, message: str = "", *, http_status: int | None = None, data: bytes | None = None
    ) -> None:
        """Say what happened; without a message the meaning of the status code speaks.

        `data` is JSON that goes with it, for the few errors that have any (ST-19).
        """
        super().__init__((message or self.status_code.description)[:LONGEST_MESSAGE])
        self.data = data
        if http_status is not None:
            self.http_status = http_status


class ClientError(OcpiError):
    """The message cannot be processed because of what the sender did."""

    status_code = StatusCode.CLIENT_ERROR


class InvalidParameters(ClientError):
    """Fields or parameters are missing or wrong; `findings` names each of them."""

    status_code = StatusCode.INVALID_PARAMETERS

    def __init__(
        self,
        message: str = "",
        *,
        findings: Sequence[Finding] = (),
        http_status: int | None = None,
        data: bytes | None = None,
    ) -> None:
        """List the findings in the message, unless a message says it better."""
        self.findings = tuple(findings)
        super().__init__(message or _listed(self.findings), http_status=http_status, data=data)


class NotEnoughInformation(ClientError):
    """The message is complete, but says too little to decide."""

    status_code = StatusCode.NOT_ENOUGH_INFORMATION


class UnknownLocation(ClientError):
    """No such Location, EVSE or Connector."""

    status_code = StatusCode.UNKNOWN_LOCATION


class UnknownToken(ClientError):
    """No such Token."""

    status_code = StatusCode.UNKNOWN_TOKEN


class NotJson(ClientError):
    """The body is not valid JSON: it never reached OCPI."""

    status_code = StatusCode.INVALID_PARAMETERS
    http_status = 400


class Unauthenticated(ClientError):
    """The credentials token is missing, malformed or unknown."""

    status_code = StatusCode.INVALID_PARAMETERS
    http_status = 401


class NotFound(ClientError):
    """There is nothing under this URL for this caller."""

    status_code = StatusCode.INVALID_PARAMETERS
    http_status = 404


class MethodNotAllowed(ClientError):
    """The resource exists, the method is not for it; `allowed` lists those that are."""

    status_code = StatusCode.INVALID_PARAMETERS
    http_status = 405

    def __init__(
        self, message: str = "", *, allowed: Sequence[str] = (), http_status: int | None = None
    ) -> None:
        """Name the methods that would have been possible."""
        self.allowed = tuple(allowed)
        said = message or f"method not allowed here; allowed: {', '.join(self.allowed) or 'none'}"
        super().__init__(said, http_status=http_status)


class BodyTooLarge(ClientError):
    """The body is longer than anything this side is willing to read."""

    status_code = StatusCode.INVALID_PARAMETERS
    http_status = 413


class TooManyRequests(ClientError):
    """Its sender is to wait for so many seconds: nothing is wrong with the message itself."""

    http_status = 429

    def __init__(
        self, message: str = "", *, retry_after: int = 1, http_status: int | None = None
    ) -> None:
        """Say how long."""
        super().__init__(
            message or f"too many requests; try again in {retry_after} s", http_status=http_status
        )
        self.retry_after = retry_after


class ServerError(OcpiError):
    """The message is right, but this side failed to process it."""

    status_code = StatusCode.SERVER_ERROR


class UnusableApi(ServerError):
    """The other side's API could not be used, typically during the credentials handshake."""

    status_code = StatusCode.UNUSABLE_API


class UnsupportedVersion(ServerError):
    """The two sides do not share this version of OCPI."""

    status_code = StatusCode.UNSUPPORTED_VERSION


class NoMatchingEndpoints(ServerError):
    """An endpoint that is needed is not offered."""

    status_code = StatusCode.NO_MATCHING_ENDPOINTS


class HubError(OcpiError):
    """The hub could not bring the message to its receiver."""

    status_code = StatusCode.HUB_ERROR


class UnknownReceiver(HubError):
    """The addressed party is not known here."""

    status_code = StatusCode.UNKNOWN_RECEIVER


class ReceiverTimeout(HubError):
    """The message was forwarded, but the receiver did not answer in time."""

    status_code = StatusCode.RECEIVER_TIMEOUT


class ReceiverNotConnected(HubError):
    """The receiver cannot be reached."""

    status_code = StatusCode.RECEIVER_NOT_CONNECTED


_BY_CODE: dict[int, type[OcpiError]] = {
    error.status_code: error
    for error in (
        ClientError,
        InvalidParameters,
        NotEnoughInformation,
        UnknownLocation,
        UnknownToken,
        ServerError,
        UnusableApi,
        UnsupportedVersion,
        NoMatchingEndpoints,
        HubError,
        UnknownReceiver,
        ReceiverTimeout,
        ReceiverNotConnected,
    )
}


def error_for(status_code: int, message: str) -> OcpiError:
    """Turn a status code somebody sent into the error it means; an unknown one into its range's."""
    generic = _BY_CODE.get(status_code // 1000 * 1000, ServerError)
    return _BY_CODE.get(status_code, generic)(message)


def _listed(findings: tuple[Finding, ...]) -> str:
    sentences = [str(finding) for finding in findings[:FINDINGS_IN_A_MESSAGE]]
    if len(findings) > FINDINGS_IN_A_MESSAGE:
        sentences.append(f"and {len(findings) - FINDINGS_IN_A_MESSAGE} more")
    return "; ".join(sentences)
