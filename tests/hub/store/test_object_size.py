"""Objects that grow change by change: never beyond what one message could bring."""

import json

import pytest
from django.conf import LazySettings

from hub.store import object_size
from ocpi.shape import MOST_MEMBERS
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, HUB, MSA, a_location
from tests.hub.location_owner import T1, T2, Owner, listed
from tests.ocpi.objects import a_session, evse

Pair = tuple[SandboxPlatform, SandboxPlatform]


@pytest.fixture(autouse=True)
def _short(settings: LazySettings) -> None:
    settings.HUB_MAX_BODY_BYTES = 10_000


def _refused(result: Result) -> None:
    assert (result.http_status, result.status_code) == (200, 2001)
    assert "would be larger than 10,000 bytes" in str(result.message)
    assert "PUT" in str(result.message)


@pytest.mark.security("S-04")
def test_a_location_does_not_grow_by_its_evses(pair: Pair) -> None:
    """EVSE by EVSE it gets as large as a PUT of the whole may be; what is there can be changed."""
    owner = Owner(pair[0])
    owner.put("L1", body=a_location(CPA, 1))
    evses = [{**evse(uid=f"E{number}"), "note": "x" * 3_000} for number in range(5)]

    results = [owner.put("L1", each["uid"], body=each) for each in evses]

    assert [each.status_code for each in results] == [1000, 1000, 2001, 2001, 2001]
    _refused(results[-1])
    _refused(owner.patch("L1", body={"evses": evses[3:4], "last_updated": T2}))
    _refused(owner.patch("L1", "E1", body={"note": "x" * 8_000, "last_updated": T2}))
    assert owner.patch("L1", "E1", body={"status": "BLOCKED", "last_updated": T2}).succeeded
    assert owner.put("L1", "E1", body={**evses[1], "note": "", "last_updated": T2}).succeeded
    assert owner.put("L1", "E2", body=evses[2]).succeeded
    assert len(json.dumps(listed(pair[1], MSA)["L1"])) < 10_500


@pytest.mark.security("S-04")
def test_a_session_does_not_grow_by_its_periods(pair: Pair) -> None:
    """Nor does what grows by PATCH alone."""
    cpo = pair[0].hub
    place = ("sessions", "RECEIVER", "NL/CPA/S1")
    cpo.put(*place, a_session(), to=HUB, sender=CPA)
    stamps = (f"2030-01-0{day}T00:00:00Z" for day in range(1, 8))

    results = [
        cpo.patch(*place, {"note": {stamp: "x" * 3_000}, "last_updated": stamp}, to=HUB, sender=CPA)
        for stamp in stamps
    ]

    assert results[0].status_code == 1000
    _refused(results[-1])
    assert cpo.patch(*place, {"kwh": 3, "last_updated": T1}, to=HUB, sender=CPA).succeeded


@pytest.mark.security("S-04")
def test_a_location_has_so_many_evses(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more one by one than in one body."""
    monkeypatch.setattr(object_size, "MOST_ITEMS", 2)
    owner = Owner(pair[0])
    owner.put("L1", body={**a_location(CPA, 1), "evses": [evse(uid="E0"), evse(uid="E1")]})

    refused = owner.put("L1", "E2", body=evse(uid="E2"))

    assert refused.status_code == 2001
    assert str(refused.message).startswith("evses: has more than 2 items")
    assert owner.patch("L1", "E1", body={"status": "BLOCKED", "last_updated": T2}).succeeded


@pytest.mark.security("S-04", "S-09")
@pytest.mark.parametrize("part, name", [((), "NAME"), (("E0",), "STATUS")])
def test_a_change_makes_no_shape_that_is_refused(
    pair: Pair, settings: LazySettings, part: tuple[str, ...], name: str
) -> None:
    """What no body may have, names that are alike or too many of them, no PATCH adds."""
    settings.HUB_MAX_BODY_BYTES = 100_000
    owner = Owner(pair[0])
    owner.put("L1", body={**a_location(CPA, 1), "evses": [evse(uid="E0")]})
    many = {f"m{number}": 0 for number in range(MOST_MEMBERS - 2)}

    alike = owner.patch("L1", *part, body={name: "x", "last_updated": T2})
    wide = owner.patch("L1", *part, body={**many, "last_updated": T2})

    assert [alike.status_code, wide.status_code] == [2001, 2001]
    assert "in case only" in str(alike.message)
    assert "has more than 1,000 members" in str(wide.message)
