"""A Dockerfile built without an engine: each stage in a folder, its paths below that folder.

`ENV`, `WORKDIR`, `COPY` and `RUN` are carried out as an engine would, from the build context alone.
Absolute paths of the image (`ROOTS`) begin with the stage's folder instead; `useradd` adds nobody.
"""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOTS = ("/venv", "/hub")
"""Folders of the image that its commands name."""
_ABSOLUTE = re.compile(rf"(?<![\w./-])(?:{'|'.join(ROOTS)})(?![\w.-])")


class Instruction(NamedTuple):
    """A line of the Dockerfile, continued lines put together."""

    word: str
    rest: str


@dataclass(slots=True)
class Stage:
    """What one FROM begins: its folder, and what was said about its processes."""

    folder: Path
    image: str
    environment: dict[str, str]
    workdir: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def below(self, text: str) -> str:
        """Return a text with the image's absolute paths below the folder."""
        return _ABSOLUTE.sub(lambda found: f"{self.folder}{found[0]}", text)

    @property
    def directory(self) -> Path:
        """Where its processes start."""
        return self.folder / self.workdir.lstrip("/")


def instructions(text: str) -> list[Instruction]:
    """Read a Dockerfile."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    whole = re.sub(r"\\\n", "", kept).splitlines()
    cut = (line.strip().partition(" ") for line in whole if line.strip())
    return [Instruction(word.upper(), rest.strip()) for word, _, rest in cut]


class Build:
    """The stages of a Dockerfile, carried out one after the other."""

    def __init__(
        self, root: Path, sent: Sequence[str], into: Path, environment: Mapping[str, str]
    ) -> None:
        self.root, self.sent, self.into = root, sent, into
        self.environment = environment
        self.stages: dict[str, Stage] = {}
        self.arguments: dict[str, str] = {}
        self.copied: set[str] = set()
        self.after: Callable[[Stage, str], None] = lambda _stage, _command: None

    def run(self) -> Stage:
        """Carry out every instruction and return the last stage."""
        carry = {
            "ARG": self._arg, "FROM": self._from, "ENV": self._env, "WORKDIR": self._workdir,
            "COPY": self._copy, "RUN": self._run, "USER": self._user, "EXPOSE": lambda _rest: None,
            "CMD": self._cmd, "HEALTHCHECK": self._healthcheck,
        }  # fmt: skip
        for word, rest in instructions((self.root / "Dockerfile").read_text(encoding="utf-8")):
            carry[word](rest)
        return self.stage

    @property
    def stage(self) -> Stage:
        """The stage of the FROM before."""
        return list(self.stages.values())[-1]

    def _arg(self, rest: str) -> None:
        name, _, value = rest.partition("=")
        self.arguments[name] = value

    def _from(self, rest: str) -> None:
        image, _, name = rest.partition(" AS ")
        for argument, value in self.arguments.items():
            image = image.replace(f"${{{argument}}}", value)
        folder = self.into / f"stage-{len(self.stages)}"
        folder.mkdir()
        self.stages[name or str(len(self.stages))] = Stage(folder, image, dict(self.environment))

    def _env(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            known = self.stage.environment.get(name, "")
            self.stage.environment[name] = self.stage.below(value).replace(f"${name}", known)

    def _workdir(self, rest: str) -> None:
        self.stage.workdir = str(PurePosixPath(self.stage.workdir) / rest)
        self.stage.directory.mkdir(parents=True, exist_ok=True)

    def _user(self, rest: str) -> None:
        self.stage.user = rest

    def _cmd(self, rest: str) -> None:
        self.stage.command = json.loads(rest)

    def _healthcheck(self, rest: str) -> None:
        self.stage.health = json.loads(rest.partition("CMD ")[2])

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        if sources[0].startswith("--from="):
            self._copy_stage(sources[0].partition("=")[2], sources[1], target)
            return
        for source in sources:
            self._copy_sent(source.rstrip("/"), target, several=len(sources) > 1)

    def _copy_stage(self, name: str, source: str, target: str) -> None:
        origin = self.stages[name].folder / source.lstrip("/")
        shutil.copytree(origin, self.stage.folder / target.lstrip("/"), symlinks=True)

    def _copy_sent(self, source: str, target: str, *, several: bool) -> None:
        """Copy a file, or what is in a folder, out of what was sent."""
        found = [path for path in self.sent if path == source or path.startswith(f"{source}/")]
        if not found:
            raise AssertionError(f"COPY {source}: it is not in the build context")
        for path in found:
            inside = path.removeprefix(source).lstrip("/")
            into_folder = not inside and (several or target.endswith(("/", ".")))
            where = (
                self.stage.directory
                / target
                / (PurePosixPath(path).name if into_folder else inside)
            )
            where.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.root / path, where)
            self.copied.add(path)

    def _run(self, rest: str) -> None:
        answer = subprocess.run(
            ["/bin/sh", "-c", self.stage.below(rest)],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.stage.directory,
            env=self.stage.environment,
        )
        if answer.returncode != 0:
            raise AssertionError(f"RUN {rest}\n{answer.stdout}{answer.stderr}")
        self.after(self.stage, rest)
