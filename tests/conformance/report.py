"""What the marked tests prove, collected while they run and printed by chapter."""

from collections import defaultdict
from collections.abc import Generator, Iterable

import pytest

from tests.conformance.checklist import checks, reasons


class ConformanceReport:
    """A pytest plugin: keeps the marked tests only, and remembers how each ended."""

    def __init__(self) -> None:
        """Begin with nothing proven."""
        self.whole = False
        self.outcomes: dict[str, list[bool]] = defaultdict(list)
        self.failed: dict[str, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Run what carries an ID, nothing else."""
        marked = [item for item in items if item.get_closest_marker("conformance")]
        self.whole = is_whole(config)
        config.hook.pytest_deselected(items=[item for item in items if item not in set(marked)])
        items[:] = marked

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note the outcome under each ID of the test; an error in a fixture is a failure too."""
        report = yield
        if report.when == "call" or report.failed:
            for check in ids(item):
                self.outcomes[check].append(report.passed)
                if not report.passed:
                    self.failed[check].append(item.nodeid)
        return report


_SELECTIONS = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "collectonly")


def is_whole(config: pytest.Config) -> bool:
    """Tell whether nothing on the command line keeps tests out."""
    if any(config.getoption(name, default=None) for name in _SELECTIONS):
        return False
    return {str(asked).rstrip("/") for asked in config.args} <= set(config.getini("testpaths"))


def ids(item: pytest.Item) -> list[str]:
    """Return the IDs a test proves."""
    return [check for mark in item.iter_markers("conformance") for check in mark.args]


def complaints(report: ConformanceReport) -> list[str]:
    """Return what is wrong with the bookkeeping: IDs nobody knows, gaps nobody explains."""
    unknown = [check for check in report.outcomes if check not in checks()]
    gaps = set(checks()) - set(report.outcomes) - set(reasons()) if report.whole else set()
    return [
        *(f"{check} is not in the checklist" for check in sorted(unknown)),
        *(f"{check} is not tested, and no reason is given" for check in sorted(gaps)),
    ]


def render(report: ConformanceReport) -> str:
    """Write passed / tested / in the checklist, then what is untested and what failed."""
    lines = [f"{'chapter':<58}passed  tested  checklist"]
    for (chapter, title), members in _chapters().items():
        tested = [check for check in members if report.outcomes.get(check)]
        passed = [check for check in tested if all(report.outcomes[check])]
        lines.append(
            f"{chapter + '  ' + title:<58}{len(passed):>6}{len(tested):>8}{len(members):>11}"
        )
    return "\n".join([*lines, "", *_untested(report), *_failures(report)])


def _chapters() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for check in checks().values():
        found[check.chapter, check.title].append(check.id)
    return found


def _untested(report: ConformanceReport) -> Iterable[str]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for check in checks():
        if not report.outcomes.get(check):
            by_reason[reasons().get(check, "NO REASON GIVEN")].append(check)
    yield "untested:"
    for reason, members in by_reason.items():
        yield f"  {reason}"
        yield f"    {' '.join(members)}"


def _failures(report: ConformanceReport) -> Iterable[str]:
    for check, tests in report.failed.items():
        known = checks().get(check)
        yield f"FAILED {check} ({known.requirement if known else 'not in the checklist'}):"
        yield from (f"    {test}" for test in tests)
