"""Delivery: every change reaches every party that may have it, whatever breaks meanwhile.

The `deliverer` of a worker has lanes that work on one subscription's backlog each
(`engine.deliver`); what they ask the database at the same moment is one statement (`gathered`):

    claim the lease -> read changes the receiver may see -> plan what is sent of each object
      -> push in parallel -> advance the position -> again, until nothing is left

A backlog is worked off by one of two delivery policies (`policy`), chosen by module. Where the
latest state counts (`latest_state`), what is sent is the message as it came in, if it still is the
newest of its object or part and nothing before it was passed over; otherwise the present state by
PUT. So whatever a receiver gets reflects a state at least as new as all it got before, even if a
worker dies and its batch is sent again.

Where every message counts (`every_message`), an object's messages go out one after the other as
they came in. One that cannot be delivered yet leaves a gap. A subscription therefore notes, beside
its position, what is dealt with beyond a gap (`ahead`), which is never sent again, and what may
have arrived (`in_doubt`): a PATCH of it, or a PUT from before it, is not repeated but replaced by
the object's state, which settles every change that the state contains.

The states of a push, the outcomes of sending it (`push.Outcome`) in capitals:

    waiting --> planned --> sent --+--> DELIVERED
       ^           |         ^     +--> REJECTED <--------------------------------+
       |           |         |     |                                              |
       |           |         +-----+--- UNKNOWN                                   |
       |           |         +-----+--- TEMPORARY --+                             |
       |           |         +-----+--- SILENT -----+                             |
       |           |               |                +--> given up, others pass ---+
       |           |               |                |       |                     |
       +-----------|---------------|----------------|-------+ held for a while    |
       +-----------|---------------|----------------+--> given up, none passes    |
       +-----------|---------------+--- UNREACHABLE                               |
                   |                                                              |
                   +--> never sent: expired, or no longer allowed ----------------+
                   +--> never sent: came and went meanwhile

What follows each outcome:

    DELIVERED     a receipt is written
    REJECTED      a dead letter is written; the next object follows
    UNKNOWN       the receiver lacks what the message changes: the whole object follows by PUT
    TEMPORARY     the receiver failed: tried again, up to four attempts in a row that settle nothing
    SILENT        no answer in time: tried once more
    UNREACHABLE   the work stops, and the platform backs off until it calls us or the time has come

What still fails after these attempts:

                         other messages pass                           none passes
    latest state         rejected                                      the platform backs off
    every message        held, and tried again after a short rest;     the platform backs off
                         rejected after an hour

Some changes never become a push. Where every message counts, one that has expired or that the
receiver may no longer have is rejected unsent. Where the latest state counts, an object that came
and went while the receiver was away is passed over.

Before anything is sent where every message counts, all of it that must not be repeated as it was
(each PATCH, and what follows another message about its object) is noted as in doubt; so is whatever
else gets no answer. It stays in doubt until it is delivered or rejected.
"""
