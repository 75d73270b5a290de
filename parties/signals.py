"""Signals about platforms and agreements for the rest of the hub; sent after commit, with ids only.

All carry `platform_id`, but `agreement_changed` carries `agreement_id`. An error in a listener is
only logged: the peer's answer says what was committed.
"""

from functools import partial

from django.db import transaction
from django.dispatch import Signal

platform_registered = Signal()
"""A credentials handshake was completed."""
platform_changed = Signal()
"""Its status, parties, endpoints or version are not what they were."""
platform_returned = Signal()
"""It was OFFLINE and is CONNECTED again: it can be sent client info, and asked for its own."""
platform_heard_again = Signal()
"""After a silence, long enough to be OFFLINE or not: what it could not send is to be read."""
platform_removed = Signal()
"""It unregistered, was suspended, reset or forgotten: nothing may be sent to it any more."""
agreement_changed = Signal()
"""Two parties gained or lost access to each other."""


def announce(signal: Signal, sender: type, **ids: int) -> None:
    """Send the signal once the running transaction, if any, is committed."""
    transaction.on_commit(partial(signal.send_robust, sender, **ids), robust=True)
