"""`docs/quirks.md`, from the quirks that there are: `python -m parties.quirk_table` writes it."""

from pathlib import Path

from parties.quirks import QUIRKS, Description, written

PAGE = Path(__file__).parent.parent / "docs" / "quirks.md"
_HEAD = """# Quirks

What the hub does differently for one platform, because its software needs it. All others are
treated by the specification: that is the default of each quirk. No quirk lets a platform speak for
a party that it did not register.

    manage.py quirks NAME                     what holds for a platform
    manage.py quirks NAME base64=off          one of them changed; its registration stays as it is
    manage.py invite_platform NAME … --quirk base64=off --quirk patch=off

The page of a platform in the console has the same. `manage.py onboarding NAME` and the page
Onboarding propose a quirk, with the command to type, when what was said on the wire shows that the
platform needs it. An endpoint that a platform has and does not advertise is no quirk:
`manage.py endpoint NAME MODULE ROLE URL`. Another hub: [hubs](hubs.md).

This page is made from the code by `python -m parties.quirk_table`.

| typed | may be | default | what the hub does | when |
|---|---|---|---|---|
"""


def document() -> str:
    """Return the page."""
    return _HEAD + "".join(f"{_row(name, quirk)}\n" for name, quirk in QUIRKS.items())


def _row(name: str, quirk: Description) -> str:
    cells = (f"`{written(name)}`", quirk.values, quirk.usual, quirk.sentence, f"{quirk.when}.")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
