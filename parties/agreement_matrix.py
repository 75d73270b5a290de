"""Agreements as a matrix: owners of objects are its rows, their readers its columns.

It is read page by page, so that a page costs the same however many parties there are.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from django.db.models import Exists, OuterRef, Q, QuerySet

from ocpi.types import Role
from parties.agreements import has_begun, has_ended
from parties.models import Agreement, AgreementState, Party
from parties.role_pairs import AGREEING_ROLES, OWNERS, READERS

ROWS, COLUMNS = 30, 24
"""The size of a page; its 720 checkboxes are fewer than the fields Django takes in one form."""
_USUAL_OWNERS = OWNERS - {Role.EMSP}
"""The rows unless a role is asked for: an eMSP owns nothing but what its SCSP steers."""


class CellStatus(StrEnum):
    """What a cell shows of the agreement of two parties."""

    NONE = "no agreement"
    DRAFT = "DRAFT"
    WAITING = "ACTIVE, not begun"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"


LETTERS = {
    CellStatus.NONE: "+",
    CellStatus.DRAFT: "D",
    CellStatus.WAITING: "N",
    CellStatus.ACTIVE: "A",
    CellStatus.SUSPENDED: "S",
    CellStatus.EXPIRED: "E",
}


@dataclass(frozen=True, slots=True)
class MatrixFilter:
    """Which part of the matrix is shown; pages count from 1.

    An empty value narrows nothing, but eMSPs are rows only if their role is asked for.
    """

    owners: str = ""
    owner_role: str = ""
    readers: str = ""
    reader_role: str = ""
    state: str = ""
    row_page: int = 1
    column_page: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """Two parties that could have an agreement, and the one they have."""

    owner: Party
    reader: Party
    agreement: Agreement | None

    @property
    def status(self) -> CellStatus:
        """The state of the agreement, and whether its period has begun or is over."""
        return cell_status(self.agreement)

    @property
    def letter(self) -> str:
        """A letter, for those who cannot tell the colours apart."""
        return LETTERS[self.status]

    @property
    def limited_to(self) -> Sequence[str]:
        """The modules it is about, if not all."""
        return self.agreement.modules if self.agreement else ()


@dataclass(frozen=True, slots=True)
class Side:
    """One page of the parties that are the rows, or the columns."""

    parties: Sequence[Party]
    page: int
    pages: int
    number: int
    """How many parties there are on all pages."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """One page of the matrix; the cell of two parties that have nothing to exchange is None."""

    rows: Side
    columns: Side
    cells: Sequence[Sequence[Cell | None]]


def cell_status(agreement: Agreement | None) -> CellStatus:
    """Return the state of an agreement, and whether its period has begun or is over."""
    if agreement is None:
        return CellStatus.NONE
    if agreement.state == AgreementState.ACTIVE:
        if has_ended(agreement):
            return CellStatus.EXPIRED
        return CellStatus.ACTIVE if has_begun(agreement) else CellStatus.WAITING
    return CellStatus(agreement.state)


def read(matrix_filter: MatrixFilter) -> Matrix:
    """Read one page of the matrix."""
    rows = _side(_owners(matrix_filter), page=matrix_filter.row_page, size=ROWS)
    columns = _side(_readers(matrix_filter), page=matrix_filter.column_page, size=COLUMNS)
    agreements = _agreements(rows.parties, columns.parties)
    cells = [[_cell(row, column, agreements) for column in columns.parties] for row in rows.parties]
    return Matrix(rows, columns, cells)


def cells_of(pairs: Iterable[tuple[int, int]]) -> list[Cell]:
    """Return the cells of some pairs of parties, in the order of their names."""
    chosen = set(pairs)
    parties = Party.objects.in_bulk({pk for pair in chosen for pk in pair})
    owners = [parties[owner] for owner, _ in chosen if owner in parties]
    readers = [parties[reader] for _, reader in chosen if reader in parties]
    agreements = _agreements(owners, readers)
    found = [
        _cell(parties[owner], parties[reader], agreements)
        for owner, reader in chosen
        if owner in parties and reader in parties
    ]
    return sorted(
        (cell for cell in found if cell is not None),
        key=lambda cell: (cell.owner.key, cell.reader.key, cell.owner.role, cell.reader.role),
    )


def _owners(matrix_filter: MatrixFilter) -> QuerySet[Party]:
    roles = {matrix_filter.owner_role} if matrix_filter.owner_role else _USUAL_OWNERS
    return _parties_of_side(roles, matrix_filter.owners, matrix_filter.state, side="cpo")


def _readers(matrix_filter: MatrixFilter) -> QuerySet[Party]:
    fitting = {
        reader for owner, reader in AGREEING_ROLES if owner == matrix_filter.owner_role
    } or READERS
    roles = fitting & {matrix_filter.reader_role} if matrix_filter.reader_role else fitting
    return _parties_of_side(roles, matrix_filter.readers, matrix_filter.state, side="emsp")


def _parties_of_side(
    roles: Collection[str], words: str, state: str, *, side: str
) -> QuerySet[Party]:
    found = Party.objects.filter(role__in=roles).select_related("platform")
    for word in words.split():
        found = found.filter(Q(key__icontains=word) | Q(name__icontains=word))
    if state:
        theirs = Agreement.objects.filter(**{side: OuterRef("pk"), "state": state})
        found = found.filter(Exists(theirs))
    return found


def _side(found: QuerySet[Party], *, page: int, size: int) -> Side:
    number = found.count()
    pages = max(1, ceil(number / size))
    page = min(max(1, page), pages)
    return Side(list(found[(page - 1) * size : page * size]), page, pages, number)


def _agreements(
    owners: Collection[Party], readers: Collection[Party]
) -> dict[tuple[int, int], Agreement]:
    found = Agreement.objects.filter(cpo__in=owners, emsp__in=readers)
    return {(agreement.cpo_id, agreement.emsp_id): agreement for agreement in found}


def _cell(owner: Party, reader: Party, agreements: dict[tuple[int, int], Agreement]) -> Cell | None:
    agreement = agreements.get((owner.pk, reader.pk))
    fits = (Role(owner.role), Role(reader.role)) in AGREEING_ROLES
    is_itself = owner.key == reader.key and owner.platform_id == reader.platform_id
    return Cell(owner, reader, agreement) if agreement or (fits and not is_itself) else None
