"""Occurrences of many values in a text, found in time that grows with its length, never faster.

Peers choose both the values (uids, steps of a path) and the text, so nothing here is built of
branches that are tried one after the other: each character is looked at a fixed number of times
(Aho and Corasick, 1975).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise

MOST_CHARACTERS = 200_000
"""Of all values together: more of them are not looked for, nothing is left of the texts then."""
_FEW = 8
"""So few values are each looked for by itself, in compiled code."""
_ROOT = 0
_BREAK = "\ud800"
"""Between texts: half a character, which no text of a peer has once it was decoded."""

Span = tuple[int, int]


def replaced(texts: Iterable[str], values: Collection[str], by: Callable[[str], str]) -> list[str]:
    """Replace each value in some texts, in any case; of those that overlap, what they cover."""
    given = [text.replace(_BREAK, "\N{REPLACEMENT CHARACTER}") for text in texts]
    searched = {_folded(value) for value in values if value and _BREAK not in value}
    if sum(map(len, searched)) > MOST_CHARACTERS:
        return list(map(by, given))
    if not searched or not given:
        return given
    whole = _BREAK.join(given)
    return _without(whole, _spans(_folded(whole), searched), by).split(_BREAK)


def _without(text: str, spans: list[Span], by: Callable[[str], str]) -> str:
    edges = [0, *(place for span in spans for place in span), len(text)]
    parts = (text[start:end] for start, end in pairwise(edges))
    return "".join(by(part) if place % 2 else part for place, part in enumerate(parts))


def _folded(text: str) -> str:
    """Return a text as it is compared: of the same length, each letter by itself."""
    return text.replace("\u0130", "i").lower().replace("\u03c2", "\u03c3")


def _spans(text: str, values: Collection[str]) -> list[Span]:
    """Return what the values cover, from left to right."""
    if len(values) <= _FEW:
        values = [value for value in values if value in text]
    periods = {value: _period(value) for value in values} if len(values) <= _FEW else {}
    # What repeats within itself, as "1111", stands at every place of "11111111": many comparisons.
    if len(values) > _FEW or any(2 * period < len(value) for value, period in periods.items()):
        return _merged(_Automaton(values).spans(text))
    return _merged(sorted(span for value in values for span in _each(text, value, periods[value])))


def _each(text: str, value: str, period: int) -> Iterator[Span]:
    """Find a value wherever it stands; two of them are at least its period apart."""
    place = 0
    while (start := text.find(value, place)) >= 0:
        place = start + period
        yield start, start + len(value)


def _period(value: str) -> int:
    """Return how far a value must be moved to lie on itself: 3 of "abcab", 5 of "abcde"."""
    borders, border = [0], 0
    for character in value[1:]:
        while border and character != value[border]:
            border = borders[border - 1]
        border += character == value[border]
        borders.append(border)
    return len(value) - border


def _merged(spans: Iterator[Span] | list[Span]) -> list[Span]:
    """Join spans that overlap; they come in the order of their starts or of their ends."""
    found: list[Span] = []
    for span in spans:
        start, end = span
        while found and found[-1][1] > start:
            before = found.pop()
            start, end = min(start, before[0]), max(end, before[1])
        found.append((start, end))
    return found


class _Automaton:
    """All values as one tree; a `fall` leads to the longest end of what was read that begins one.

    `longest` is the length of the longest value that ends at a node.
    """

    def __init__(self, values: Collection[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._longest = [0]
        for value in values:
            self._longest[self._grown(value)] = len(value)
        self._fall = [_ROOT] * len(self._next)
        self._connect()

    def spans(self, text: str) -> Iterator[Span]:
        """Return, for each place where values end, the longest."""
        node = _ROOT
        for end, character in enumerate(text, start=1):
            node = self._step(node, character)
            if self._longest[node]:
                yield end - self._longest[node], end

    def _grown(self, value: str) -> int:
        node = _ROOT
        for character in value:
            below = self._next[node]
            if character not in below:
                below[character] = len(self._next)
                self._next.append({})
                self._longest.append(0)
            node = below[character]
        return node

    def _connect(self) -> None:
        waiting = deque(self._next[_ROOT].values())
        while waiting:
            node = waiting.popleft()
            for character, below in self._next[node].items():
                fall = self._step(self._fall[node], character)
                self._fall[below] = fall
                self._longest[below] = self._longest[below] or self._longest[fall]
                waiting.append(below)

    def _step(self, node: int, character: str) -> int:
        while node and character not in self._next[node]:
            node = self._fall[node]
        return self._next[node].get(character, _ROOT)
