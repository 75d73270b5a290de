"""The benchmark of more processes and of a larger hub: what is there before it measures."""

import xml.etree.ElementTree as ET

import pytest

from bench.bulk_hub import LARGE, MEASURED, PARTNERS, RECEIVERS, SMALL
from bench.cpu import Part, part_of
from bench.curve import Curve, Point, drawn
from bench.scale import too_few_cores


def test_a_machine_with_few_cores_says_what_it_did_not_measure() -> None:
    """Four processes on two cores would show the machine, not the hub."""
    assert too_few_cores(4) == []
    assert too_few_cores(2) == ["not measured: 4 processes, the machine has 2 cores"]
    assert too_few_cores(1) == ["not measured: 2 and 4 processes, the machine has 1 cores"]


def test_the_picture_has_a_line_for_each_kind_of_work() -> None:
    """Throughput of all, latency of those that have one, and a name that is no markup."""
    puts = Curve("PUT & answer", [Point(1, 100, 5), Point(2, 190, 6)])
    delivery = Curve("delivery", [Point(1, 1_000, 0), Point(2, 1_500, 0)])

    picture = ET.fromstring(drawn([puts, delivery]))  # noqa: S314 - our own

    space = "{http://www.w3.org/2000/svg}"
    lines = [each for each in picture.iter(f"{space}path") if each.get("stroke-width")]
    assert len(lines) == 3
    names = [each.text for each in picture.iter(f"{space}text")]
    assert names.count("PUT & answer") == 2
    assert names.count("delivery") == 1


@pytest.mark.parametrize("share", [1, 0.1, 0.0001])
def test_a_smaller_hub_still_has_all_that_is_measured(share: float) -> None:
    """The measured parties, a CPO for each agreement of theirs, and Locations of each."""
    for size in (LARGE.scaled(share), SMALL.scaled(share)):
        others = size.platforms - RECEIVERS - 2
        assert others // 5 >= PARTNERS
        assert size.locations > MEASURED


@pytest.mark.parametrize(
    "command, part",
    [
        ("python -m settings.serve", Part.WEB),
        ("python -m settings.log_process 3", Part.LOG),
        ("python -m celery -A settings worker --pool threads", Part.DELIVERY),
        ("postgres: hub hub_bench 127.0.0.1(5432) idle", Part.DATABASE),
        ("/opt/valkey-server 127.0.0.1:6379", Part.BROKER),
        ("python -m bench.sink 8001", Part.CLIENT),
    ],
)
def test_the_cpu_time_of_a_process_is_counted_where_it_belongs(command: str, part: Part) -> None:
    """What the sender and the receivers use is not the hub's."""
    assert part_of(command) is part
