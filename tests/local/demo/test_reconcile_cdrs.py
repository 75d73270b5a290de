"""The books of a CPO and two eMSPs balance, or the check says what does not."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from local.demo.reconcile_cdrs import Books

Json = dict[str, Any]


def token(party: str, *, valid: bool = False) -> Json:
    """Build a token of an eMSP, blocked by default."""
    country, _, name = party.partition("-")
    return {"country_code": country, "party_id": name, "uid": "1", "valid": valid}


def charged(party: str, cost: str, **more: object) -> Json:
    """Build what a session and its CDR have in common."""
    shown = {name: token(party)[name] for name in ("country_code", "party_id", "uid")}
    price = {"excl_vat": Decimal(cost), "incl_vat": Decimal(cost)}
    paid = {"currency": "EUR", "total_cost": price, "auth_method": "AUTH_REQUEST"}
    return {"cdr_token": shown, **paid, **more}


def session(number: int, party: str, kwh: str, cost: str, **more: object) -> Json:
    """Build a completed session."""
    made = charged(party, cost, kwh=Decimal(kwh), status="COMPLETED")
    return {**made, "id": f"S{number}", **more}


def cdr(number: int, party: str, kwh: str, cost: str, **more: object) -> Json:
    """Build the CDR of a session."""
    made = charged(party, cost, total_energy=Decimal(kwh), session_id=f"S{number}")
    return {**made, "id": f"C{number}", **more}


def named(*found: Json) -> Json:
    """Key objects as reports do."""
    return {f"NL-CPA/{each['id']}": each for each in found}


ORDERS = ("START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION")
SCSP = {
    "party": "NL-SCS",
    "outcomes": {"set profile": ["ACCEPTED"], "active profile": ["ACCEPTED"]},
}
SHARED = {"tariffs": {"NL-CPA/AC": {"id": "AC"}}, "locations": {"NL-CPA/L1": {"id": "L1"}}}
MSA = (1, "DE-MSA", "10", "5.50"), (2, "DE-MSA", "2.5", "1.25")
MSB = ((3, "FR-MSB", "7", "3.00"),)
OPEN = session(4, "FR-MSB", "1", "0.5", status="ACTIVE")


def emsp(party: str, *stays: tuple[int, str, str, str], sessions: tuple[Json, ...] = ()) -> Json:
    """Build the report of an eMSP that has all it should."""
    return {
        "party": party,
        "findings": {f"NL-CPA/C{stay[0]}": [] for stay in stays},
        "objects": {
            **SHARED,
            "tokens": {f"{party}/1": token(party)},
            "sessions": named(*(session(*stay) for stay in stays), *sessions),
            "cdrs": named(*(cdr(*stay) for stay in stays)),
        },
        "outcomes": {name: ["EVSE_OCCUPIED", "ACCEPTED"] for name in ORDERS},
    }


def balanced() -> tuple[Json, Json, Json]:
    """Build the reports of NL-CPA, DE-MSA and FR-MSB, in order."""
    msa, msb = emsp("DE-MSA", *MSA), emsp("FR-MSB", *MSB, sessions=(OPEN,))
    both = {
        module: {**msa["objects"][module], **msb["objects"][module]}
        for module in ("tokens", "sessions", "cdrs")
    }
    cpo = {"party": "NL-CPA", "findings": {}, "objects": {**SHARED, **both}}
    return deepcopy(cpo), deepcopy(msa), deepcopy(msb)


def test_books_in_order_balance() -> None:
    """A session that goes on has no CDR yet."""
    cpo, *emsps = balanced()
    books = Books(cpo, emsps, SCSP)

    assert books.faults() == []
    assert books.totals() == [
        "DE-MSA: 2 for 12.5 kWh and 6.7500 EUR with VAT",
        "FR-MSB: 1 for 7 kWh and 3.0000 EUR with VAT",
    ]


def lose_cdr(cpo: Json, msa: Json, _: Json) -> None:
    """Take a CDR away everywhere."""
    for each in (cpo, msa):
        del each["objects"]["cdrs"]["NL-CPA/C1"]


def bill_twice(cpo: Json, msa: Json, _: Json) -> None:
    """Bill a session under another id, too."""
    for each in (cpo, msa):
        each["objects"]["cdrs"]["NL-CPA/C9"] = cdr(1, "DE-MSA", "0", "0", id="C9")
    msa["findings"]["NL-CPA/C9"] = []


def bill_too_early(cpo: Json, _: Json, msb: Json) -> None:
    """Bill a session that goes on."""
    for each in (cpo, msb):
        each["objects"]["cdrs"]["NL-CPA/C4"] = cdr(4, "FR-MSB", "0", "0")
    msb["findings"]["NL-CPA/C4"] = []


def deliver_to_the_wrong_one(_: Json, msa: Json, msb: Json) -> None:
    """Hand a session of one eMSP to the other one."""
    msb["objects"]["sessions"]["NL-CPA/S1"] = msa["objects"]["sessions"]["NL-CPA/S1"]


def show_tokens(_: Json, msa: Json, msb: Json) -> None:
    """Show one eMSP the tokens of the other one."""
    msb["objects"]["tokens"] |= msa["objects"]["tokens"]


def overcharge(_: Json, msa: Json, __: Json) -> None:
    """Let a cost change on its way."""
    msa["objects"]["cdrs"]["NL-CPA/C1"]["total_cost"]["incl_vat"] = Decimal("5.51")


def keep_a_tariff(_: Json, msa: Json, __: Json) -> None:
    """Let a withdrawn tariff live on."""
    msa["objects"]["tariffs"] = {**SHARED["tariffs"], "NL-CPA/OLD": {}}


def miss_a_block(cpo: Json, *_: Json) -> None:
    """Let the CPO believe that a token is good."""
    cpo["objects"]["tokens"]["DE-MSA/1"]["valid"] = True


def dispute(_: Json, msa: Json, msb: Json) -> None:
    """Find fault with one CDR, and leave another one unchecked."""
    msa["findings"]["NL-CPA/C1"] = ["total_cost is wrong"]
    del msb["findings"]["NL-CPA/C3"]


def block_nothing(cpo: Json, msa: Json, _: Json) -> None:
    """Leave every token valid."""
    for each in (cpo, msa):
        each["objects"]["tokens"]["DE-MSA/1"]["valid"] = True


def refuse_to_stop(_: Json, msa: Json, __: Json) -> None:
    """Let no session be stopped from afar."""
    msa["outcomes"]["STOP_SESSION"] = ["FAILED", "TIMEOUT"]


def ask_nobody(cpo: Json, msa: Json, msb: Json) -> None:
    """Let everybody charge by the whitelist."""
    for report in (cpo, msa, msb):
        for module in ("sessions", "cdrs"):
            for each in report["objects"][module].values():
                each["auth_method"] = "WHITELIST"


CHANGED = (
    "cdrs at DE-MSA: NL-CPA/C1.total_cost.incl_vat is 5.50 at its owner and 5.51 at the receiver"
)
CASES: dict[str, tuple[Callable[[Json, Json, Json], None], list[str]]] = {
    "no CDR": (
        lose_cdr,
        [
            "session S1 is completed and has 0 CDRs",
            "EUR of DE-MSA: sessions 2 for 12.5 kWh and 6.7500, CDRs 1 for 2.5 kWh and 1.2500",
        ],
    ),
    "two CDRs": (
        bill_twice,
        [
            "session S1 is completed and has 2 CDRs",
            "EUR of DE-MSA: sessions 2 for 12.5 kWh and 6.7500, CDRs 3 for 12.5 kWh and 6.7500",
        ],
    ),
    "too early": (
        bill_too_early,
        [
            "session S4 is not completed, but was billed",
            "EUR of FR-MSB: sessions 1 for 7 kWh and 3.0000, CDRs 2 for 7 kWh and 3.0000",
        ],
    ),
    "wrong eMSP": (deliver_to_the_wrong_one, ["FR-MSB holds what is not for it: NL-CPA/S1"]),
    "tokens shown": (show_tokens, ["FR-MSB holds token DE-MSA/1, which is not its own"]),
    "cost changed": (
        overcharge,
        [
            CHANGED,
            "EUR of DE-MSA: sessions 2 for 12.5 kWh and 6.7500, CDRs 2 for 12.5 kWh and 6.7600",
        ],
    ),
    "tariff lives on": (
        keep_a_tariff,
        ["tariffs at DE-MSA: NL-CPA/OLD arrived, but its owner does not have it"],
    ),
    "block missed": (
        miss_a_block,
        ["tokens at NL-CPA: DE-MSA/1.valid is false at its owner and true at the receiver"],
    ),
    "disputed": (
        dispute,
        [
            "DE-MSA disputes CDR NL-CPA/C1: total_cost is wrong",
            "FR-MSB could not check CDR NL-CPA/C3 yet",
        ],
    ),
    "not stopped": (refuse_to_stop, ["nothing came of STOP_SESSION by DE-MSA"]),
    "nobody asked": (ask_nobody, ["NL-CPA asked about no card before it billed"]),
    "nothing blocked": (block_nothing, ["DE-MSA blocked no token"]),
}


@pytest.mark.parametrize("damage, faults", CASES.values(), ids=CASES)
def test_what_does_not_balance_is_named(
    damage: Callable[[Json, Json, Json], None], faults: list[str]
) -> None:
    """Each way in which money or trust gets lost has its sentence."""
    reports = balanced()
    damage(*reports)

    assert Books(reports[0], reports[1:], SCSP).faults() == faults


def test_empty_books_are_no_proof() -> None:
    """Where nothing was sold, nothing was shown to work."""
    nothing: Json = {"objects": {}, "findings": {}, "outcomes": {}}
    cpo, emsp, scsp = ({**nothing, "party": name} for name in ("NL-CPA", "DE-MSA", "NL-SCS"))
    books = Books(cpo, [emsp], scsp)

    assert books.faults() == [
        "DE-MSA was billed for nothing",
        "DE-MSA blocked no token",
        "NL-CPA offers nothing",
        *(f"nothing came of {name} by DE-MSA" for name in ORDERS),
        "nothing came of set profile by NL-SCS",
        "nothing came of active profile by NL-SCS",
        "NL-CPA asked about no card before it billed",
    ]


def test_currencies_are_added_up_apart() -> None:
    """Euros and pounds make no sum."""
    cpo, msa, msb = balanced()
    for each in (cpo, msa):
        for module in ("sessions", "cdrs"):
            each["objects"][module][f"NL-CPA/{'SC'[module == 'cdrs']}2"]["currency"] = "GBP"

    books = Books(cpo, [msa, msb], SCSP)

    assert books.faults() == []
    assert books.totals()[:2] == [
        "DE-MSA: 1 for 10 kWh and 5.5000 EUR with VAT",
        "DE-MSA: 1 for 2.5 kWh and 1.2500 GBP with VAT",
    ]
