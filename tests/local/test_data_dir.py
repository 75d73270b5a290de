"""Every purpose has a directory, taken by one run at a time, reachable for who must."""

import os
import shutil
from pathlib import Path

import pytest

from local import data_dir, unprivileged
from local.data_dir import DataDir
from local.errors import Trouble

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts a server as somebody else")


def test_a_purpose_runs_once(where: DataDir) -> None:
    """Two runs of one purpose would share a database; the second learns who has it."""
    with where.locked():
        second = data_dir.of_purpose("test")
        with pytest.raises(Trouble, match=f"already running here .process {os.getpid()}"):
            second.locked().__enter__()
    with where.locked():
        pass


@pytest.mark.parametrize("word", ["", "../demo", "Demo", "a" * 40])
def test_a_purpose_is_a_small_word(word: str) -> None:
    """It becomes a directory's name."""
    with pytest.raises(Trouble, match="is no purpose"):
        data_dir.of_purpose(word)


@as_root
def test_what_the_account_reaches_is_used_where_it_is(where: DataDir) -> None:
    """Data lie beside the checkout when they can."""
    assert data_dir.reachable(where.path, unprivileged.for_postgres()) == where.path


@as_root
def test_a_closed_checkout_stays_closed(tmp_path: Path) -> None:
    """Below a directory of mode 700 the data move out, and no permission is loosened."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    inside = closed / "demo"
    inside.mkdir()
    stand_in = data_dir.reachable(inside, unprivileged.for_postgres())
    try:
        assert not stand_in.is_relative_to(tmp_path)
        assert stand_in.stat().st_mode & 0o777 == 0o755
        assert closed.stat().st_mode & 0o777 == 0o700
        assert data_dir.reachable(inside, unprivileged.for_postgres()) == stand_in
    finally:
        shutil.rmtree(stand_in)


@as_root
def test_a_stand_in_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    """A temporary directory is open to everybody, so owner and kind are looked at."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    stand_in = data_dir.reachable(closed, unprivileged.for_postgres())
    try:
        stand_in.rmdir()
        stand_in.symlink_to(tmp_path)
        with pytest.raises(Trouble, match="belongs to somebody else"):
            data_dir.reachable(closed, unprivileged.for_postgres())
    finally:
        stand_in.unlink()


def test_a_copy_is_whole_and_readable_for_all(tmp_path: Path) -> None:
    """Programs are copied once, under their name only when complete."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir(mode=0o700)
    (source / "program").write_text("#!/bin/sh\n")
    (source / "program").chmod(0o700)
    assert data_dir.copied(source, target) == target
    assert (target / "program").stat().st_mode & 0o777 == 0o755
    (source / "program").write_text("changed")
    data_dir.copied(source, target)
    assert (target / "program").read_text() == "#!/bin/sh\n"
