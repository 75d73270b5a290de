"""The build context is computed by the rules a container engine has."""

import pytest

from tests.supply.dockerignore import is_ignored, patterns

pytestmark = pytest.mark.security("S-26")


@pytest.mark.parametrize(
    "lines, path, ignored",
    [
        ("*", "hub/apps.py", True),
        ("*\n!hub", "hub/apps.py", False),
        ("*\n!/hub/", "hub/apps.py", False),
        ("!hub\n*", "hub/apps.py", True),
        ("*\n!hub", "hubris/apps.py", True),
        ("*\n!hub\nhub/static", "hub/static/map/map.js", True),
        ("hub/*.py", "hub/a/b.py", False),
        ("hub/**/*.py", "hub/a/b.py", True),
        ("hub/**/*.py", "hub/b.py", True),
        ("**/__pycache__", "a/b/__pycache__/c.pyc", True),
        ("**/__pycache__", "__pycache__/c.pyc", True),
        ("**/.*", "hub/.env", True),
        ("*.pyc", "hub/a.pyc", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("# *\n\n", "hub", False),
        ("docs\n!docs/README.md", "docs/README.md", False),
    ],
)
def test_the_last_line_that_matches_decides(lines: str, path: str, *, ignored: bool) -> None:
    """Patterns are anchored, a folder means all in it, `!` takes back in, the last one decides."""
    assert is_ignored(path, patterns(lines)) is ignored
