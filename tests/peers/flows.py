"""What is tried with each peer: one function a flow, each between the peer, the hub and a partner.

A flow raises `Failure` with what was not so.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

from ocpi.types import OcpiModel
from ocpi.v2_2_1.locations import Location
from ocpi.v2_2_1.tariffs import Tariff
from ocpi.v2_2_1.tokens import Token
from ocpi.validation import validate
from sandbox import Result, SandboxPlatform
from tests.cast import CPA, MSA
from tests.ocpi import objects
from tests.peers.platform import Json, Running, manage, until


class Failure(Exception):
    """A flow did not reach its end."""


class Peculiar(Failure):
    """The flow ended by what the peer did, though nobody refused anything."""


def by_the_hub(peer: Running) -> None:
    """The hub registers with it."""
    _connected(peer, peer.be_registered())


def by_itself(peer: Running) -> None:
    """It registers with the hub."""
    _connected(peer, peer.register())


def _connected(peer: Running, complaint: str) -> None:
    """See that it is connected, and let it deal with its partner."""
    if complaint:
        raise Failure(complaint)
    pair = (str(CPA), str(peer.party)) if peer.role == "EMSP" else (str(peer.party), str(MSA))
    _, complaint = manage(peer.hub, "agree", *pair)
    if complaint:
        raise Failure(complaint)


# --- a peer that is a CPO -------------------------------------------------------------------------


def pull(peer: Running) -> None:
    """Its Location, which it never pushed, is in the list that an eMSP reads from the hub."""
    own = completed(Location, objects.location(id="PULLED"))
    own["evses"][0]["status_schedule"] = None  # of which some libraries make no list
    peer.own("locations", _of(peer, own))
    manage(peer.hub, "pull", str(peer.party))
    _listed(peer, "PULLED")


def push_by_it(peer: Running) -> None:
    """It pushes a Tariff by its own client."""
    own = completed(Tariff, objects.a_tariff(id="PUSHED"))
    peer.own("tariffs", _of(peer, own))
    try:
        answer = peer.push("tariffs", "PUSHED", f"{peer.hub.url}/ocpi/2.2.1")
    except OSError as error:
        raise Peculiar(f"its own client failed: {error}") from error
    if not answer.get("receiver_responses"):
        raise Peculiar(f"its own client answered {answer}")
    [said] = answer["receiver_responses"]
    if said["response"].get("status_code") != 1000:
        raise Failure(f"the hub answered {said['response']}")
    emsp = peer.hub.platforms["P2"]
    emsp.wait_for("/PUSHED", 20)


def token(peer: Running) -> None:
    """A Token that an eMSP pushes to the hub arrives at it."""
    value = _right("tokens", objects.a_token(uid="CARD1"))
    _accepted(peer.hub.platforms["P2"].publish("tokens", value))
    _has(peer, "tokens", "CARD1")


def command(peer: Running) -> None:
    """An eMSP starts a session there; answer and result come back to it."""
    emsp = peer.hub.platforms["P2"]
    before = len(emsp.results)
    body = {
        "response_url": emsp.response_url("commands"),
        "token": objects.a_token(),
        "location_id": "PULLED",
        "evse_uid": "3256",
    }
    answer = emsp.hub.post("commands", "RECEIVER", "START_SESSION", body, to=peer.party, sender=MSA)
    _accepted(answer)
    if first(answer.data).get("result") != "ACCEPTED":
        raise Failure(f"it answered {answer.data}")
    if not until(lambda: len(emsp.results) > before):
        raise Failure("its result did not arrive")


# --- a peer that is an eMSP -----------------------------------------------------------------------


def push_to_it(peer: Running) -> None:
    """A Location that a CPO pushes to the hub arrives at it."""
    _accepted(_cpo(peer).publish("locations", _right("locations", objects.location(id="LOC7"))))
    _has(peer, "locations", "LOC7")


def authorize(peer: Running) -> None:
    """A CPO asks it in real time whether a driver may charge."""
    card = completed(Token, objects.a_token(uid="CARD7"))
    peer.own("tokens", _of(peer, card))
    answer = _cpo(peer).hub.post("tokens", "SENDER", "CARD7/authorize", to=peer.party, sender=CPA)
    _accepted(answer)
    if first(answer.data).get("allowed") != "ALLOWED":
        raise Failure(f"it answered {answer.data}")
    if isinstance(answer.data, list):
        raise Peculiar("it answers with a list of one object instead of the object")


def session(peer: Running) -> None:
    """A Session with one of its tokens arrives at it."""
    value = objects.a_session(id="S7", cdr_token=_cdr_token(peer))
    _accepted(_cpo(peer).publish("sessions", _right("sessions", value)))
    _has(peer, "sessions", "S7")


def cdr(peer: Running) -> None:
    """A CDR with one of its tokens arrives at it."""
    value = objects.a_cdr(id="C7", cdr_token=_cdr_token(peer))
    _accepted(_cpo(peer).publish("cdrs", _right("cdrs", value)))
    _has(peer, "cdrs", "C7")


Flow = Callable[[Running], None]
OF_ROLE: Mapping[str, Mapping[str, Flow]] = {
    "CPO": {
        "CPO, by the hub": by_the_hub,
        "CPO, by itself": by_itself,
        "pull": pull,
        "push by it": push_by_it,
        "token": token,
        "command": command,
    },
    "EMSP": {
        "eMSP, by the hub": by_the_hub,
        "eMSP, by itself": by_itself,
        "push to it": push_to_it,
        "authorize": authorize,
        "session": session,
        "CDR": cdr,
    },
}
REGISTRATIONS = (by_the_hub, by_itself)
"""The second is tried where the first fails: one is enough for all that follows."""
FLOWS = [flow for flows in OF_ROLE.values() for flow in flows]


# --- what they have in common ---------------------------------------------------------------------


def completed(model: type[OcpiModel], value: Any) -> Any:
    """Return an object with null, or no items, for what its table has besides: some insist."""
    if isinstance(value, list):
        return [completed(model, each) for each in value]
    if not isinstance(value, dict):
        return value
    fields = {name: field.annotation for name, field in model.model_fields.items()}
    empty: Json = {
        name: [] if _is_list(annotation) else None for name, annotation in fields.items()
    }
    inner = {name: _model_of(annotation) for name, annotation in fields.items()}
    return {
        name: completed(found, each) if (found := inner.get(name)) else each
        for name, each in {**empty, **value}.items()
    }


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))


def _model_of(annotation: Any) -> type[OcpiModel] | None:
    """Return the class of an object that an annotation is about, also in a list or optional."""
    if isinstance(annotation, type) and issubclass(annotation, OcpiModel):
        return annotation
    return next(filter(None, map(_model_of, get_args(annotation))), None)


def first(data: Any) -> Json:
    """Return an object, also where it comes in a list of one; nothing for anything else."""
    one = data[0] if isinstance(data, list) and data else data
    return one if isinstance(one, dict) else {}


def _right(module: str, value: Json) -> Json:
    """Return an object that nobody can find anything wrong with."""
    from ocpi.versions import VERSIONS  # noqa: PLC0415

    kind = VERSIONS["2.2.1"].modules[module].kept  # type: ignore[index]
    assert kind is not None
    assert validate(kind.model, value) == ()
    return value


def _of(peer: Running, value: Json) -> Json:
    owner = {"country_code": peer.party.country_code, "party_id": peer.party.party_id}
    return {**value, **owner}


def _cdr_token(peer: Running) -> Json:
    return _of(peer, objects.a_cdr_token(uid="CARD7"))


def _cpo(peer: Running) -> SandboxPlatform:
    return peer.hub.platforms["P1"]


def _accepted(result: Result) -> None:
    if not result.succeeded:
        raise Failure(str(result))


def _has(peer: Running, module: str, identifier: str) -> None:
    if not peer.has(module, identifier):
        raise Failure(f"{module} {identifier} did not arrive")


def _listed(peer: Running, identifier: str) -> None:
    emsp = peer.hub.platforms["P2"]

    def is_there() -> bool:
        return any(each["id"] == identifier for each in emsp.hub.list("locations").data)

    if not until(is_there):
        raise Failure(f"{identifier} is in no list of the hub")
