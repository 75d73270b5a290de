"""The OCPI status codes and which of them mean success.

Specification: status_codes.
"""

from enum import IntEnum
from typing import Self


class StatusCode(IntEnum):
    """Every status code of OCPI 2.2.1, each with the sentence an operator needs."""

    description: str

    def __new__(cls, code: int, description: str = "") -> Self:
        """Keep the description beside the number, so that `StatusCode(2001)` still works."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member

    SUCCESS = 1000, "Success"
    CLIENT_ERROR = 2000, "Client error"
    INVALID_PARAMETERS = 2001, "Invalid or missing parameters"
    NOT_ENOUGH_INFORMATION = 2002, "Not enough information"
    UNKNOWN_LOCATION = 2003, "Unknown Location"
    UNKNOWN_TOKEN = 2004, "Unknown Token"
    SERVER_ERROR = 3000, "Server error"
    UNUSABLE_API = 3001, "Unable to use the client's API"
    UNSUPPORTED_VERSION = 3002, "Unsupported version"
    NO_MATCHING_ENDPOINTS = 3003, "No matching endpoints or expected endpoints missing"
    HUB_ERROR = 4000, "Hub error"
    UNKNOWN_RECEIVER = 4001, "Unknown receiver"
    RECEIVER_TIMEOUT = 4002, "Timeout on forwarded request"
    RECEIVER_NOT_CONNECTED = 4003, "Receiving party is not connected"


def is_success(code: int) -> bool:
    """Whether a code lies in the success range, its custom part (19xx) included."""
    return code // 1000 == 1
