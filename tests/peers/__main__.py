"""`make peers`: other people's OCPI software against a fresh hub for each, and who is wrong.

Ends with a table and `.local/peers/peers.json`; with 1 if anything is the hub's fault, or may be.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from local.processes import end_on_signals
from ocpi.types import PartyRef
from tests.e2e.hub_processes import living
from tests.peers import environments, flows, table
from tests.peers.flows import Failure, Flow, Peculiar
from tests.peers.platform import Running, running, said
from tests.peers.registry import FOLDERS, PEERS, Peer
from tests.peers.verdicts import Outcome, Verdict, Wrong, verdict

PARTIES = {"CPO": PartyRef("NL", "LAB"), "EMSP": PartyRef("DE", "LAB")}
_SETTINGS = {"HUB_PULL_PAUSE": "0", "HUB_REQUEST_TIMEOUT": "10"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all peers, or those that are named."""
    parser = argparse.ArgumentParser(prog="make peers", description=__doc__)
    parser.add_argument("peers", nargs="*", help=f"of {', '.join(each.name for each in PEERS)}")
    wanted = parser.parse_args(arguments).peers
    end_on_signals()
    seen = {}
    for peer in PEERS:
        if not wanted or peer.name in wanted:
            found = _examined(peer)
            if found is not None:
                seen[peer.name] = found
    environments.PLACE.mkdir(parents=True, exist_ok=True)
    text = json.dumps(table.as_json(seen), indent=1)
    (environments.PLACE / "peers.json").write_text(text)
    print("", *table.lines(seen, flows.FLOWS), sep="\n")
    return 1 if table.hub_is_wrong(seen) else 0


def _examined(peer: Peer) -> dict[str, Verdict] | None:
    python = environments.python_of(peer)
    if python is None:
        print(
            f"{peer.name} cannot be installed: {FOLDERS}={peer.name}=FOLDER names one", flush=True
        )
        return None
    found: dict[str, Verdict] = {}
    logs = (environments.PLACE / "logs" / peer.name).absolute()
    logs.mkdir(parents=True, exist_ok=True)
    with living(logs, **_SETTINGS) as hub:
        for role, party in PARTIES.items():
            print(f"{peer.name} as {role} …", flush=True)
            with running(peer, python, hub, role, party) as platform:
                found |= _tried(platform, role)
    return found


def _tried(platform: Running, role: str) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    is_connected = False
    for name, flow in flows.OF_ROLE[role].items():
        if (flow in flows.REGISTRATIONS) is is_connected:
            continue
        found[name] = _one(platform, flow)
        is_connected |= flow in flows.REGISTRATIONS and found[name].outcome is Outcome.DONE
    return found


def _one(platform: Running, flow: Flow) -> Verdict:
    began = time.time()
    try:
        flow(platform)
    except Peculiar as peculiar:
        return Verdict(Outcome.FAILED, Wrong.PEER, str(peculiar))
    except (Failure, TimeoutError, OSError) as failure:
        return verdict(succeeded=False, exchanges=said(platform, began), reason=str(failure))
    return verdict(succeeded=True, exchanges=())


if __name__ == "__main__":
    sys.exit(main())
