# mypy: ignore-errors
"""`python -P flask_library.py PACKAGE ROLE PORT TOKEN`: a library on Flask as one platform.

Run in an environment of its own, where the library is. It speaks OCPI 2.2 and registers by a client
of its own. What it keeps is shown at `/laboratory`, as `fastapi_library` has it.
"""

import importlib
import os
import sys
import uuid

from flask import Flask, jsonify, request

PACKAGE, ROLE, PORT, TOKEN_A = sys.argv[1:]
BASE = f"http://{os.environ['OCPI_HOST']}/ocpi"
managers = importlib.import_module(f"{PACKAGE}.managers")
SIDES = {
    "CPO": {"locations": "SENDER", "tariffs": "SENDER", "sessions": "SENDER", "cdrs": "SENDER",
            "tokens": "RECEIVER", "commands": "RECEIVER"},
    "EMSP": {"locations": "RECEIVER", "tariffs": "RECEIVER", "sessions": "RECEIVER",
             "cdrs": "RECEIVER", "tokens": "SENDER", "commands": "SENDER"},
}  # fmt: skip
CLASSES = {"locations": "Location", "tariffs": "Tariffs", "sessions": "Session", "cdrs": "Cdr",
           "tokens": "Tokens", "commands": "Commands"}  # fmt: skip


class Tokens(managers.CredentialsManager):
    """Keeps who registered in memory."""

    def __init__(self):
        role = {"role": ROLE, "country_code": os.environ["COUNTRY_CODE"],
                "party_id": os.environ["PARTY_ID"], "business_details": {"name": "Laboratory"}}  # fmt: skip
        super().__init__([role], f"{BASE}/versions")
        self.known = {TOKEN_A: {}}

    def isAuthenticated(self, token):  # noqa: N802
        return token in self.known

    def _updateToken(self, token, client_url, client_token, endpoint_list=None):  # noqa: N802
        self.known[token] = {"client_token": client_token, "endpoints": endpoint_list}

    def _deleteToken(self, token):  # noqa: N802
        return self.known.pop(token, None)


tokens = Tokens()
kept = {name: getattr(managers, f"{each}Manager")() for name, each in CLASSES.items()}


def contents(name):
    return getattr(kept[name], name, {})


def application():
    create = importlib.import_module(PACKAGE).createOcpiBlueprint
    offered = {name: {"role": side, "object": kept[name]} for name, side in SIDES[ROLE].items()}
    app = Flask("laboratory")
    app.register_blueprint(
        create(BASE, {"credentials": {"role": "RECEIVER", "object": tokens}, **offered})
    )
    app.add_url_rule("/laboratory", view_func=shown)
    app.add_url_rule("/laboratory/own/<module>", view_func=own, methods=["PUT"])
    app.add_url_rule("/laboratory/register", view_func=register, methods=["POST"])
    return app


def shown():
    known = [each for each in tokens.known.values() if each]
    return jsonify(
        kept={name: contents(name) for name in kept},
        token_c=list(tokens.known)[-1:],
        hub_token=known[-1]["client_token"] if known else "",
    )


def own(module):
    value = request.get_json()
    contents(module)[value.get("uid") or value["id"]] = value
    return jsonify({})


def register():
    """Register by the library's client, which knows the place of credentials by itself."""
    given, ours = request.get_json(), uuid.uuid4().hex
    tokens.known[ours] = {}
    url = given["versions_url"].rpartition("/")[0]
    try:
        theirs = tokens._sendRegisterResponse(url, "2.2", ours, given["token"])
    except Exception as error:  # noqa: BLE001 - whatever the library makes of the hub's answer
        return jsonify({"status_code": 3001, "status_message": repr(error)})
    tokens._updateToken(ours, url, theirs)
    return jsonify({"status_code": 1000})


if __name__ == "__main__":
    application().run("127.0.0.1", int(PORT), threaded=True)
