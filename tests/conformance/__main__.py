"""`python -m tests.conformance`: run the tests that prove an ID and print what they prove."""

import sys

import pytest

from tests.conformance.report import ConformanceReport, complaints, render


def main() -> int:
    """Run the marked tests; non-zero when one failed, none ran or the bookkeeping is wrong."""
    report = ConformanceReport()
    code = pytest.main(["-q", "--no-header", "tests", *sys.argv[1:]], plugins=[report])
    print()
    print(render(report))
    wrong = complaints(report)
    print("".join(f"WRONG {line}\n" for line in wrong), end="")
    return int(code) or int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
