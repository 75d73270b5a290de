"""Clusters of locations on the map: those in one cell of a grid are one marker.

Spec: 2.2.1 mod_locations; LOC-17: a location that is not published is not on the map. The map is a
square in the Web Mercator projection: at zoom 0 it is `TILE` pixels wide, at each further zoom
twice as wide. Positions on it are whole numbers from 0 at the top left to `SPOT_SIZE`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from database import sql
from hub.models.locations import SPOT_SIZE
from hub.statistics import sql as statements
from hub.statistics.sql import Cluster

TILE = 256
"""Pixels along the edge of a tile of the map."""
CLOSEST = 18
"""The largest zoom."""
CELL = 64
"""Pixels along the edge of a cell: wider than a marker, so that two do not touch."""
_MOST_CELLS = 80
"""Cells along the edge of a box that a browser may ask for; a larger box is cut."""
_SIZE_BITS = SPOT_SIZE.bit_length() - 1


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the map, and the zoom at which it is looked at."""

    left: int
    top: int
    right: int
    bottom: int
    zoom: int = 0

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """Read what a browser asks for; ValueError says what is wrong with it."""
        zoom = _number(given, "zoom", CLOSEST)
        edges = {name: _number(given, name, SPOT_SIZE) for name in _EDGES}
        most = _MOST_CELLS << _shift(zoom)
        edges["right"] = min(edges["right"], edges["left"] + most)
        edges["bottom"] = min(edges["bottom"], edges["top"] + most)
        return cls(**edges, zoom=zoom)


_EDGES = ("left", "top", "right", "bottom")


def clusters(box: Box) -> list[Cluster]:
    """Return the markers of a box."""
    edges = {name: getattr(box, name) for name in _EDGES}
    bounds = {"shift": _shift(box.zoom), "most": (_MOST_CELLS + 1) ** 2}
    return sql.rows(statements.CLUSTERS, {**edges, **bounds})


def inside(words: str) -> Mapping[str, Any]:
    """Return the filter of locations within `left,top,right,bottom`; ValueError if malformed."""
    given = dict(zip(_EDGES, words.split(","), strict=True))
    box = Box(**{name: _number(given, name, SPOT_SIZE) for name in _EDGES})
    return {"spot__x__range": (box.left, box.right), "spot__y__range": (box.top, box.bottom)}


def _number(given: Mapping[str, str], name: str, most: int) -> int:
    text = given.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise ValueError(f"{name} is no whole number from 0 to {most}: {text!r:.20}")
    return min(int(text), most)


def _shift(zoom: int) -> int:
    """Return the logarithm to base 2 of a cell's edge, in the units of positions."""
    cells_per_tile = TILE // CELL
    return max(0, _SIZE_BITS - zoom - (cells_per_tile.bit_length() - 1))
