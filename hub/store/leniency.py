"""Leniency: what is taken from a platform that cannot do better (`Quirks.lenient`).

What an object is, whose, when it changed, who pays and how much stay as strict as ever: without
them it could not be kept, told apart or paid. All else is stored, reported and passed on.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ocpi.errors import Fault, Finding, InvalidParameters, Severity
from ocpi.types import OcpiModel
from ocpi.validation import findings

Judge = Callable[[type[OcpiModel], object], tuple[Finding, ...]]
"""From a model and a decoded value to all that is wrong with it."""

# Their last step in a path, wherever it is: `evses[0].uid`, `total_cost.excl_vat`.
_IDENTITY = "id|uid|contract_id|country_code|party_id|credit_reference_id"
_SEEN_BY = "publish|valid|whitelist"
"""Who may see a Location, and whether a Token may charge: nobody guesses that."""
_TIMES = "last_updated|[a-z_]*date_time"
_MONEY = "[a-z_]*(?:cost|price|vat)[a-z_]*|currency|kwh|total_energy|total_time|volume|step_size"
_STRICT = re.compile(
    rf"(?:^|\.)(?:{_IDENTITY}|{_TIMES}|{_MONEY})(?:[.\[]|$)|^cdr_token|^(?:type|{_SEEN_BY})$"
)
_PARTS = re.compile(r"(?:^|\.)(?:evses|connectors)(?:\[\d+\])?$|^$")
"""Lists of parts and these themselves: what is none of that cannot be taken apart."""
_TOLERABLE = frozenset({Fault.REQUIRED, Fault.TYPE, Fault.LENGTH, Fault.RANGE, Fault.VALUE})


def judge(*, lenient: bool) -> Judge:
    """Return how objects of a platform are judged."""
    return partial(_softened, findings) if lenient else findings


def checked(judged: Judge, model: type[OcpiModel], value: object) -> tuple[Finding, ...]:
    """Return what is reported; raises InvalidParameters for what is graver."""
    found = judged(model, value)
    grave = [each for each in found if each.severity is not Severity.REPORT]
    if grave:
        raise InvalidParameters(findings=grave)
    return found


def _softened(judged: Judge, model: type[OcpiModel], value: object) -> tuple[Finding, ...]:
    return tuple(
        replace(each, severity=Severity.REPORT) if _is_tolerable(each) else each
        for each in judged(model, value)
    )


def _is_tolerable(finding: Finding) -> bool:
    if finding.fault not in _TOLERABLE or _STRICT.search(finding.path):
        return False
    is_part = finding.path.endswith("]") or finding.fault is Fault.TYPE
    return not (is_part and _PARTS.search(finding.path))
