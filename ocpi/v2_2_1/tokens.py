"""The tokens drivers are recognised by, as far as other chapters refer to them.

Specification: mod_tokens.
"""

from ocpi.types import OcpiEnum


class TokenType(OcpiEnum):
    """What kind of token a driver presents."""

    AD_HOC_USER = "AD_HOC_USER"
    APP_USER = "APP_USER"
    OTHER = "OTHER"
    RFID = "RFID"
