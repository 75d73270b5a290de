"""A PATCH that was acknowledged is in the store; one that is not applied was refused, not fed."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.models import Change, Location, Session
from ocpi.errors import InvalidParameters
from tests.cast import CPA, Cast, a_location
from tests.hub.in_process import Hub
from tests.hub.samples import SESSION, TOKEN, Sample

Json = dict[str, Any]
T1, T2, T3 = (f"202{year}-01-01T00:00:00Z" for year in (6, 7, 8))
EXAMPLES = 60
LOCATION = Sample("locations", "Location", a_location(CPA, 1, name="Somewhere"))
PARTS = {"evses": "uid", "connectors": "id"}
PERIOD = {
    "start_date_time": T2,
    "dimensions": [{"type": "ENERGY", "volume": 1.5}],
}

moments = st.sampled_from([T1, T2, T3, None, "yesterday", 7])
scraps = st.sampled_from([None, "", "x", 0, 1.50, True, [], {}, [None], {"a": None, "b": {"c": 1}}])


def _patches(rightly: dict[str, Any], *, parts: st.SearchStrategy[Any] | None = None) -> Any:
    """Make patches of members that may be right, null, of a wrong type, unknown or missing."""
    members = {name: st.sampled_from(values) | scraps for name, values in rightly.items()}
    members |= {"x_unknown": scraps} | ({} if parts is None else {"evses": parts})
    stamp = st.sampled_from([T1, T2, T3, T3, T3, None, 7])
    some = st.lists(st.sampled_from(sorted(members)), max_size=3, unique=True)
    return some.flatmap(
        lambda names: st.fixed_dictionaries(
            {name: members[name] for name in names}, optional={"last_updated": stamp}
        )
    )


connectors = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2", "9", None])},
    optional={
        "max_amperage": st.sampled_from([16, "16", None, []]),
        "tariff_ids": st.sampled_from([["T1"], [], None, "T1"]),
        "last_updated": moments,
    },
)
evses = st.fixed_dictionaries(
    {"uid": st.sampled_from(["E1", "e1", "E2", "E9", 4, None])},
    optional={
        "status": st.sampled_from(["CHARGING", "REMOVED", "NEW", None, 1]),
        "floor_level": st.sampled_from(["1", None, {}]),
        "coordinates": st.sampled_from([{"latitude": "1.0"}, {"latitude": None}, None, 1]),
        "connectors": st.lists(connectors, max_size=2) | st.sampled_from([None, [], {}, "1"]),
        "last_updated": moments,
    },
)

OF_LOCATIONS = _patches(
    {
        "id": ["L1", "l1", "L2"],
        "name": ["other", "Ω"],
        "address": ["elsewhere"],
        "publish": [False],
        "coordinates": [{"latitude": "50.770774"}, {"latitude": None}],
        "opening_times": [{"twentyfourseven": True}, {"exceptional_openings": None}],
        "facilities": [["CAFE"], []],
        "operator": [{"name": "other"}, {"website": None}],
    },
    parts=st.lists(evses, max_size=3) | st.sampled_from([None, [], {}, "E1", [None]]),
)
OF_EVSES = _patches(
    {
        "uid": ["E1", "e1"],
        "status": ["CHARGING", "REMOVED"],
        "floor_level": ["1"],
        "coordinates": [{"latitude": "1.0", "longitude": "2.0"}, {"latitude": None}],
        "connectors": [[{"id": "1", "max_amperage": 16, "last_updated": T3}], [{"id": "9"}], []],
    }
)
OF_CONNECTORS = _patches(
    {
        "id": ["1"],
        "max_amperage": [16],
        "tariff_ids": [["T1"], []],
        "terms_and_conditions": ["https://cpo.example/terms"],
    }
)
OF_SESSIONS = _patches(
    {
        "id": ["S1", "S2"],
        "kwh": [1.0, 2, "3"],
        "status": ["COMPLETED"],
        "end_date_time": [T3],
        "total_cost": [{"excl_vat": 1.0}, {"incl_vat": None}],
        "charging_periods": [[PERIOD], [PERIOD, PERIOD], []],
        "meter_id": ["M2"],
    }
)
OF_TOKENS = _patches(
    {
        "uid": ["T2"],
        "valid": [False],
        "language": ["de"],
        "whitelist": ["NEVER"],
        "energy_contract": [{"contract_id": "C-2"}, {"contract_id": None}],
        "group_id": ["G1"],
    }
)


def merged(target: Any, patch: Json) -> Json:
    """Merge as RFC 7386 does, but for lists that are merged by id or appended to."""
    result = copy.deepcopy(target) if isinstance(target, dict) else {}
    for name, new in patch.items():
        old = result.get(name)
        if name == "charging_periods":
            added = [each for at, each in enumerate(new or []) if each not in new[:at]]
            kept = list(old or [])
            result[name] = kept + [each for each in added if each not in kept]
        elif name in PARTS and new is not None:
            result[name] = _merged_parts(old or [], new, PARTS[name])
        elif new is None:
            result.pop(name, None)
        elif isinstance(new, dict):
            result[name] = merged(old, new)
        else:
            result[name] = new
    return result


def _merged_parts(old: list[Json], patches: list[Json], key: str) -> list[Json]:
    result = copy.deepcopy(old)
    for patch in patches:
        places = [
            at for at, each in enumerate(result) if each[key].upper() == str(patch[key]).upper()
        ]
        if places:
            result[places[0]] = merged(result[places[0]], patch)
        else:
            result.append(patch)
    return result


def _meaningless(value: Json) -> Json:
    """Leave out lists without anything in them: absent and empty say the same."""
    return {name: each for name, each in value.items() if each != []}


def _every(patches: Any, check: Callable[[Json], None]) -> None:
    @given(patch=patches)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(patch: Json) -> None:
        check(patch)

    run()


@pytest.fixture
def agreed(cast: Cast) -> Cast:
    """NL-CPA and DE-MSA, who may have everything of each other."""
    cast["P1"], cast["P2"]
    cast.agree(("NL-CPA", "DE-MSA"))
    return cast


@pytest.mark.security("S-18")
@pytest.mark.parametrize(
    "sample,patches",
    [(LOCATION, OF_LOCATIONS), (SESSION, OF_SESSIONS), (TOKEN, OF_TOKENS)],
    ids=lambda each: getattr(each, "module", ""),
)
def test_a_patch_holds_or_is_refused(agreed: Cast, sample: Sample, patches: Any) -> None:
    """Acknowledged, the object is what the merge makes of it; refused, nothing is stored or fed."""
    hub = Hub(sample, agreed[sample.platform])
    path = sample.path(sample.value[sample.id_field])
    fates = {True: 0, False: 0}

    def check(patch: Json) -> None:
        hub.forget()
        hub.send("PUT", path, json.dumps(sample.value).encode())
        before = _held(hub, path)
        (_, code), (said, _) = hub.send("PATCH", path, json.dumps(patch).encode())
        fed = Change.objects.filter(method="PATCH").count()
        fates[code == 1000] += 1
        if code == 1000:
            assert _meaningless(_held(hub, path)) == _meaningless(merged(before, patch)), patch
            assert fed == 1
        else:
            assert code == InvalidParameters.status_code, (patch, said)
            assert _held(hub, path) == before, said
            assert fed == 0

    _every(patches, check)
    assert min(fates.values()) > EXAMPLES / 10


def _held(hub: Hub, path: str) -> Json:
    (_, code), (envelope, _) = hub.send("GET", path)
    assert code == 1000
    found: Json = envelope["data"]
    return found


@pytest.mark.security("S-18")
@pytest.mark.parametrize("below", ["E1", "E1/1"])
def test_a_patch_of_a_part_holds_or_is_refused(agreed: Cast, below: str) -> None:
    """An EVSE's and a Connector's too; those above it are as new as it is."""
    hub, path = Hub(LOCATION, agreed["P1"]), LOCATION.path("L1")
    value = a_location(LOCATION.owner, 1, last_updated=T1)
    value["evses"][0]["last_updated"] = value["evses"][0]["connectors"][0]["last_updated"] = T1
    fates = {True: 0, False: 0}

    def check(patch: Json) -> None:
        hub.forget()
        hub.send("PUT", path, json.dumps(value).encode())
        before = _held(hub, f"{path}/{below}")
        (_, code), said = hub.send("PATCH", f"{path}/{below}", json.dumps(patch).encode())
        fed = Change.objects.filter(method="PATCH").count()
        fates[code == 1000] += 1
        if code == 1000:
            after = _held(hub, f"{path}/{below}")
            assert _meaningless(after) == _meaningless(merged(before, patch)), patch
            assert _held(hub, path)["last_updated"] >= after["last_updated"]
            assert fed == 1
        else:
            assert code == InvalidParameters.status_code, (patch, said)
            assert _held(hub, path) == value
            assert fed == 0

    _every(OF_EVSES if below == "E1" else OF_CONNECTORS, check)
    assert min(fates.values()) > EXAMPLES / 10


@pytest.mark.security("S-18")
def test_null_for_the_evses_is_refused(agreed: Cast) -> None:
    """2001 says what to do instead; the receivers are not told either."""
    hub, path = Hub(LOCATION, agreed["P1"]), LOCATION.path("L1")
    hub.send("PUT", path, json.dumps(LOCATION.value).encode())
    patch = {"evses": None, "last_updated": T3}

    answer, (envelope, _) = hub.send("PATCH", path, json.dumps(patch).encode())

    assert answer == (200, 2001)
    assert "evses: none is removed by PATCH" in envelope["status_message"]
    assert "REMOVED" in envelope["status_message"]
    assert not Change.objects.filter(method="PATCH").exists()


@pytest.mark.security("S-18")
def test_what_a_patch_clears_is_not_found_any_more(agreed: Cast) -> None:
    """The columns an operator searches by follow the object."""
    hub, path = Hub(LOCATION, agreed["P1"]), LOCATION.path("L1")
    hub.send("PUT", path, json.dumps(LOCATION.value).encode())
    assert Location.objects.get().name == "Somewhere"
    patch = {"name": None, "last_updated": T3}
    assert hub.send("PATCH", path, json.dumps(patch).encode())[0] == (200, 1000)
    assert not Location.objects.get().name
    evse = {"status": "CHARGING", "last_updated": T3}
    answer, _ = hub.send("PATCH", f"{path}/E1", json.dumps(evse).encode())
    assert (answer, bool(Location.objects.get().city)) == ((200, 1000), True)


@pytest.mark.security("S-18")
def test_a_moment_and_a_cost_that_a_patch_clears_are_gone(agreed: Cast) -> None:
    """What no text stands for is empty too: a Session that goes on has no end and no cost."""
    hub, path = Hub(SESSION, agreed["P1"]), SESSION.path("S1")
    ended = {**SESSION.value, "end_date_time": T2, "total_cost": {"excl_vat": 1.5}}
    hub.send("PUT", path, json.dumps(ended).encode())
    assert Session.objects.filter(ended_at__isnull=False, cost=1.5).exists()
    patch = {"end_date_time": None, "total_cost": None, "last_updated": T3}
    assert hub.send("PATCH", path, json.dumps(patch).encode())[0] == (200, 1000)
    assert Session.objects.filter(ended_at=None, cost=None).exists()
