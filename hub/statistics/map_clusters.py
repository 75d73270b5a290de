"""Locations on a map, as many as can be told apart: counted by the cells of a grid.

Spec: 2.2.1 mod_locations; LOC-17: what is not published has no place. The map is the usual square
one; at zoom 0 it is `TILE` pixels wide, and twice as wide with each step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from database import sql
from hub.models.locations import SPOT_SIZE
from hub.statistics import sql as statements
from hub.statistics.sql import Cluster

TILE = 256
CLOSEST = 18
CELL = 64
"""Pixels of a cell: two markers do not touch."""
_MOST_CELLS = 80
"""Cells along an edge of what is asked for; more is cut."""
_STEPS = SPOT_SIZE.bit_length() - 1


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map at a zoom, in steps from the map's top left."""

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
    """Return what is to be seen in a part of the map."""
    edges = {name: getattr(box, name) for name in _EDGES}
    bounds = {"shift": _shift(box.zoom), "most": (_MOST_CELLS + 1) ** 2}
    return sql.rows(statements.CLUSTERS, {**edges, **bounds})


def inside(words: str) -> Mapping[str, Any]:
    """Return the condition of locations within `left,top,right,bottom`, for a list of them."""
    given = dict(zip(_EDGES, words.split(","), strict=True))
    box = Box(**{name: _number(given, name, SPOT_SIZE) for name in _EDGES})
    return {"spot__x__range": (box.left, box.right), "spot__y__range": (box.top, box.bottom)}


def _number(given: Mapping[str, str], name: str, most: int) -> int:
    text = given.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise ValueError(f"{name} is no whole number from 0 to {most}: {text!r:.20}")
    return min(int(text), most)


def _shift(zoom: int) -> int:
    """Return how many steps of the map make a cell, as a power of two."""
    cells = TILE // CELL
    return max(0, _STEPS - zoom - (cells.bit_length() - 1))
