"""Which element prices a dimension at a moment: the first that has it and whose restrictions hold.

Specification: mod_tariffs, Tariff: "the first Tariff Element with a Price Component of that type
and with restrictions that are all fulfilled", for each dimension by itself.
"""

from typing import NamedTuple

from rating.codes import CannotBePriced, Unpriced
from rating.conditions import Moment, NotUnderstood
from rating.readings import Readings
from rating.tariff import Component, Element, Tariff
from rating.times import written


class Effort:
    """How many elements may still be asked: a hostile CDR ends here, and not the machine."""

    def __init__(self, most: int) -> None:
        self.left = most

    def spend(self, elements: int) -> None:
        self.left -= elements
        if self.left < 0:
            raise CannotBePriced(Unpriced.TOO_LARGE, "too many elements to ask too many times")


class Chosen(NamedTuple):
    """A component that prices a dimension, and where it is from."""

    tariff: Tariff
    element: Element
    component: Component
    moment: Moment


class Selection:
    """The components that price a moment of one phase."""

    def __init__(
        self, tariff: Tariff, phase: str, moment: Moment, readings: Readings, effort: Effort
    ) -> None:
        self.tariff = tariff
        self.phase = phase
        self.moment = moment
        self.readings = readings
        self.effort = effort
        self._held: dict[int, bool] = {}

    def component(self, kind: str) -> Chosen | None:
        """Return what prices a dimension, or None if nothing does."""
        walk = self.tariff.walk(self.phase).get(kind, ())
        if self.readings.select == "element":
            walk = self._of_first_element(kind)
        for asked, (element, component) in enumerate(walk, 1):
            if self._holds(element):
                self.effort.spend(asked)
                return Chosen(self.tariff, element, component, self.moment)
        self.effort.spend(len(walk))
        return None

    def _of_first_element(self, kind: str) -> list[tuple[Element, Component]]:
        """Leave only the first element that holds, whatever it prices."""
        elements = self.tariff.elements_of(self.phase)
        self.effort.spend(len(elements))
        first = next((each for each in elements if self._holds(each)), None)
        walk = self.tariff.walk(self.phase).get(kind, ())
        return [pair for pair in walk if first is not None and pair[0].place == first.place]

    def _holds(self, element: Element) -> bool:
        if not element.restrictions.conditions:
            return True
        held = self._held.get(element.place)
        if held is None:
            held = self._held[element.place] = self._asked(element)
        return held

    def _asked(self, element: Element) -> bool:
        holds = element.restrictions.hold(self.moment)
        if holds is None and self.readings.unknown != "match":
            condition = element.restrictions.unknown(self.moment)
            misread = isinstance(condition, NotUnderstood)
            raise CannotBePriced(
                Unpriced.UNKNOWN_WORD if misread else Unpriced.POWER,
                f"element {element.place + 1} of tariff {self.tariff.id}: whether "
                f"{condition.failed(self.moment)} holds at {written(self.moment.at)} is not known",
            )
        return holds is not False


def passed_over(chosen: Chosen, phase: str, kind: str) -> list[tuple[int, str]]:
    """Name the earlier elements that have the dimension, and the first restriction that failed."""
    found = []
    for element, component in chosen.tariff.walk(phase).get(kind, ()):
        if component is chosen.component:
            break
        if element.restrictions.hold(chosen.moment) is False:
            found.append((element.place, element.restrictions.failed(chosen.moment)))
    return found
