"""Occurrences of many values in a text, found in linear time.

Peers choose both the values (uids, path segments) and the text, so there is no backtracking that
they could drive into quadratic time: a few values are searched for one by one, more of them by an
automaton that looks at each character a fixed number of times (Aho and Corasick, 1975).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise

MOST_CHARACTERS = 200_000
"""Of all values together; with more, the texts are replaced whole."""
_FEW_VALUES = 8
"""Up to so many values are each searched for by `str.find`, which is compiled."""
_ROOT = 0
_BREAK = "\ud800"
"""Joins the texts: half of a surrogate pair, which no decoded text of a peer contains."""

Span = tuple[int, int]
"""Start and end of an occurrence, like a slice."""


def replaced(texts: Iterable[str], values: Collection[str], by: Callable[[str], str]) -> list[str]:
    """Replace each value in some texts, whatever its case.

    `by` makes the replacement from what is replaced; overlapping values are replaced as one.
    """
    given = [text.replace(_BREAK, "\N{REPLACEMENT CHARACTER}") for text in texts]
    searched = {_folded(value) for value in values if value and _BREAK not in value}
    if sum(map(len, searched)) > MOST_CHARACTERS:
        return list(map(by, given))
    if not searched or not given:
        return given
    whole = _BREAK.join(given)
    return _substituted(whole, _spans(_folded(whole), searched), by).split(_BREAK)


def _substituted(text: str, spans: list[Span], by: Callable[[str], str]) -> str:
    edges = [0, *(position for span in spans for position in span), len(text)]
    parts = (text[start:end] for start, end in pairwise(edges))
    return "".join(by(part) if position % 2 else part for position, part in enumerate(parts))


def _folded(text: str) -> str:
    """Return a text in lower case, of the same length, so that spans fit the original."""
    # `lower` makes two characters of a dotted capital I, and a final sigma depends on its
    # neighbours.
    return text.replace("\u0130", "i").lower().replace("\u03c2", "\u03c3")


def _spans(text: str, values: Collection[str]) -> list[Span]:
    """Return the stretches that values cover, from left to right."""
    if len(values) <= _FEW_VALUES:
        values = [value for value in values if value in text]
    periods = {value: _period(value) for value in values} if len(values) <= _FEW_VALUES else {}
    # A value that repeats itself, like "1111", is found at every position of "11111111", in
    # quadratic time; the automaton has no such case.
    if len(values) > _FEW_VALUES or any(
        2 * period < len(value) for value, period in periods.items()
    ):
        return _merged(_Automaton(values).spans(text))
    return _merged(sorted(span for value in values for span in _each(text, value, periods[value])))


def _each(text: str, value: str, period: int) -> Iterator[Span]:
    """Find all occurrences of a value; two of them are at least its period apart."""
    position = 0
    while (start := text.find(value, position)) >= 0:
        position = start + period
        yield start, start + len(value)


def _period(value: str) -> int:
    """Return how far a value must be shifted to match itself: 3 for "abcab", 5 for "abcde"."""
    # A border is a prefix that is a suffix as well: the prefix function of Knuth, Morris and Pratt.
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
    """The Aho-Corasick automaton of some values: a tree of their characters, with failure links.

    At a character that no child of a node has, the failure link leads to the node of the longest
    suffix of what was read that begins a value.

    `longest` is the length of the longest value that ends at a node.
    """

    def __init__(self, values: Collection[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._longest = [0]
        for value in values:
            self._longest[self._insert(value)] = len(value)
        self._failure = [_ROOT] * len(self._next)
        self._connect()

    def spans(self, text: str) -> Iterator[Span]:
        """Return the longest value that ends at each position where any ends."""
        node = _ROOT
        for end, character in enumerate(text, start=1):
            node = self._step(node, character)
            if self._longest[node]:
                yield end - self._longest[node], end

    def _insert(self, value: str) -> int:
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
                failure = self._step(self._failure[node], character)
                self._failure[below] = failure
                self._longest[below] = self._longest[below] or self._longest[failure]
                waiting.append(below)

    def _step(self, node: int, character: str) -> int:
        while node and character not in self._next[node]:
            node = self._failure[node]
        return self._next[node].get(character, _ROOT)
