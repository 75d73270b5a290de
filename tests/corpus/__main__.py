"""`python -m tests.corpus`: which objects get another verdict than their file says.

With `--write` the files are changed: what `git diff` then shows has to be what was meant.
"""

import json
import os
import sys

import django

from tests.corpus import FOLDER, specimens


def main(*, write: bool) -> int:
    """Judge every object anew; return how many differ."""
    from tests.corpus.judge import judged  # noqa: PLC0415 - Django is set up by now

    different = 0
    for specimen in specimens():
        verdict, findings = judged(specimen)
        now = {"verdict": verdict, "findings": {each.path: each.fault or "" for each in findings}}
        if now == {"verdict": specimen.verdict, "findings": dict(specimen.findings)}:
            continue
        different += 1
        print(f"{specimen.name}: {verdict}: {'; '.join(map(str, findings))}")
        if write:
            path = FOLDER / f"{specimen.name}.json"
            said = json.loads(path.read_text(encoding="utf-8")) | now
            text = json.dumps(said, indent=2, ensure_ascii=False)
            path.write_text(f"{text}\n", encoding="utf-8")
    return different


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
    django.setup()
    sys.exit(min(main(write="--write" in sys.argv), 1))
