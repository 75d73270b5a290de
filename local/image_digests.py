"""`python -m local.image_digests`: puts the current digest behind the tag of every image.

A tag can be moved by whoever owns it, a digest cannot. Only a registry knows the digests: this
asks it, hashes the answer itself, and writes `name:tag@sha256:…` where the image is named.
"""

import hashlib
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from local.data_dir import CHECKOUT
from local.errors import Trouble

FILES = ("Dockerfile", "compose.yaml")
_NAMED = re.compile(
    r"^(\s*(?:FROM |image: ))"
    r"((?:[\w.-]+(?::\d+)?/)*[\w.-]+:[\w.-]+)(@sha256:[0-9a-f]{64})?(?= AS |$)",
    re.MULTILINE,
)
_HUB = "registry-1.docker.io"
_KINDS = (
    "application/vnd.oci.image.index.v1+json,"
    "application/vnd.docker.distribution.manifest.list.v2+json"
)
_SECONDS = 30


class Reference(NamedTuple):
    """Where a registry has an image."""

    registry: str
    repository: str
    tag: str

    @property
    def address(self) -> str:
        """The URL of its manifest; a registry on this machine speaks plain http."""
        scheme = "http" if self.registry.startswith("127.0.0.1:") else "https"
        return f"{scheme}://{self.registry}/v2/{self.repository}/manifests/{self.tag}"


def main(directory: Path = CHECKOUT) -> int:
    """Write the digest of every image that is named."""
    try:
        for name in FILES:
            _pin(directory / name)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


def images_in(text: str) -> Iterator[tuple[str, str]]:
    """Return every image a file names: name with tag, digest or nothing."""
    for found in _NAMED.finditer(text):
        yield found[2], (found[3] or "").removeprefix("@")


def digest(image: str) -> str:
    """Ask the registry of an image for its digest: of all its platforms together."""
    where = reference(image)
    request = urllib.request.Request(where.address, headers={"Accept": _KINDS})  # noqa: S310
    try:
        return _hash(request)
    except urllib.error.HTTPError as refused:
        if refused.code != 401:  # noqa: PLR2004 - asked for a token, which anybody gets
            raise Trouble(f"{image}: {where.registry} answers {refused.code}") from None
        challenge = refused.headers.get("WWW-Authenticate", "")
    except OSError as error:
        raise Trouble(f"{image}: {where.registry} cannot be reached ({error})") from None
    request.add_header("Authorization", f"Bearer {_token(challenge)}")
    return _hash(request)


def reference(image: str) -> Reference:
    """Return where an image is, by the rules of names without a registry."""
    name, _, tag = image.rpartition(":")
    first, _, rest = name.partition("/")
    if rest and ("." in first or ":" in first):
        return Reference(first, rest, tag)
    return Reference(_HUB, name if rest else f"library/{name}", tag)


def _pin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for image, known in dict(images_in(text)).items():
        found = digest(image)
        print(f"{image} {found}{'' if found == known else ' (new)'}", flush=True)
        text = re.sub(
            rf"{re.escape(image)}(@\S+)?(?= AS |$)", f"{image}@{found}", text, flags=re.MULTILINE
        )
    path.write_text(text, encoding="utf-8")


def _hash(request: urllib.request.Request) -> str:
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - our own names
        return f"sha256:{hashlib.sha256(answer.read()).hexdigest()}"


def _token(challenge: str) -> str:
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm", "")
    if not realm.startswith(("https://", "http://127.0.0.1:")):
        raise Trouble(f"a registry asks for a log-in that is not understood: {challenge}")
    query = urllib.parse.urlencode(fields)
    with urllib.request.urlopen(f"{realm}?{query}", timeout=_SECONDS) as answer:  # noqa: S310
        token: str = json.load(answer)["token"]
    return token


if __name__ == "__main__":
    sys.exit(main())
