"""What a receiver is spared: objects it may have that break the tables (`strict_receiver`)."""

from database import sql
from hub.delivery import backlog
from hub.models import Subscription
from hub.module_policy import POLICIES
from hub.store.sql import reads
from ocpi.types import ModuleID


def number(subscription: Subscription) -> int:
    """Return how many objects of its module a subscription's receiver does not get."""
    party, module = subscription.receiver, ModuleID(subscription.module)
    if not party.platform.quirks.strict_receiver:
        return 0
    owners = sorted(backlog.owners(subscription.pk, module))
    found = sql.row(reads.odd(POLICIES[module]), {"party": party.holder, "owners": owners})
    return int(found[0]) if found else 0
