"""`python -m rating`: run a file of test vectors, or explain the price of a CDR."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from rating.cdr import CdrText
from rating.decimals import decoded
from rating.engine import rate
from rating.identifiers import party
from rating.sentences import sentences
from rating.tariff_choice import Place, StoredTariff
from rating.vectors import results


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if all is well, 1 if a vector disagrees or a CDR has no price."""
    asked = _parser().parse_args(arguments)
    return _vectors(asked.file) if asked.command == "vectors" else _explain(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rating", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    vectors = commands.add_parser("vectors", help="run a file of test vectors")
    vectors.add_argument("file", type=Path)
    explain = commands.add_parser("explain", help="price a CDR and say how, line by line")
    explain.add_argument("file", type=Path, help="the JSON of a CDR")
    explain.add_argument("--tariffs", type=Path, help="a JSON list of tariffs it does not carry")
    explain.add_argument("--time-zone", help="the zone of its Location, Europe/Berlin")
    explain.add_argument("--json", action="store_true", help="print what would be stored")
    return parser


def _vectors(file: Path) -> int:
    found = list(results(file))
    for each in found:
        for wrong in each.wrong:
            print(f"{each.id} {wrong}")
    agreeing = sum(not each.wrong for each in found)
    print(f"{agreeing} of {len(found)} agree")
    return int(agreeing < len(found))


def _explain(asked: argparse.Namespace) -> int:
    cdr = CdrText(asked.file.read_bytes())
    stored = list(_stored(asked.tariffs)) if asked.tariffs else []
    place = Place(tariff_ids=tuple(each.id for each in stored))
    found = rate(cdr, stored, asked.time_zone, place)
    lines = [found.to_bytes().decode()] if asked.json else sentences(found.as_json())
    for line in lines:
        print(line)
    return int(found.code is not None)


def _stored(file: Path) -> Iterator[StoredTariff]:
    for each in decoded(b'{"tariffs":%s}' % file.read_bytes())["tariffs"]:
        yield StoredTariff(str(each.get("id")), party(each), json.dumps(each, default=str))


if __name__ == "__main__":
    sys.exit(main())
