"""`python -m tests.conformance`: run the tests that prove an ID and print what they prove."""

import sys

import pytest

from tests.conformance.report import ConformanceReport, render


def main() -> int:
    """Run the marked tests; non-zero when one of them failed or none ran."""
    report = ConformanceReport()
    code = pytest.main(["-q", "--no-header", "tests", *sys.argv[1:]], plugins=[report])
    print()
    print(render(report))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
