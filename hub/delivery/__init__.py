"""Delivery: every change reaches every party that may have it, whatever breaks meanwhile.

One thread of a worker works on one subscription's backlog at a time (`thread_pool`,
`engine.deliver`):

    claim the lease -> read changes the receiver may see -> plan what is sent of each object
      -> push in parallel -> advance the position -> again, until nothing is left

How a backlog is worked off is one of two policies (`policy`), by module. Where the latest state
counts (`latest_state`), what is sent is the message as it came in, if it still is the newest of its
object or part and nothing before it was passed over; otherwise the present state by PUT. So
whatever a receiver gets reflects a state at least as new as all it got before, although a worker
may die at any point and its batch be sent again.

Where every message counts (`every_message`), an object's messages go out one after the other as
they came in. Beside its position a subscription notes what is dealt with beyond a gap (`ahead`),
which is never sent again, and what may have arrived (`in_doubt`): a PATCH of it, or a PUT from
before it, is not repeated but replaced by the object's state, with all changes that state contains.

The states of a push:

    pending --> planned --> sent --+--> delivered                a receipt is written
       ^           |         ^     |
       |           |         |     +--> rejected                 a dead letter
       |           |         |     |
       |           |         +-----+--> unknown there            whole object: by PUT instead
       |           |         |     |
       |           |         +-----+--> failed                   again: four times at most in which
       |           |         |     |      |                        nothing passes,
       |           |         +-----+--> silent                   once if it gave no answer
       |           |               |      |
       |           |               |      +--> others pass --+--> latest state: rejected
       |           |               |      |                  +--> every message: rejected after 1 h
       +-----------|---------------|------|------------------+--> every message: until then held,
       |           |               |      |                         the subscription rests a while
       +-----------|---------------|------+--> none passes --+
       |           |               |                         +--> the platform backs off
       +-----------|---------------+--> unreachable ---------+
                   |
                   +--> every message: expired, or no longer allowed: rejected, unsent
                   +--> latest state: gone, so that nobody need know: passed over

    in doubt (every message): a PATCH, and what follows another message about its object, from
    before it is sent; whatever else may have arrived, once nobody said so; until delivered or
    rejected.

A receiver that cannot be reached stops the work: its platform backs off, until it calls us or the
time has come. A receiver that refuses one object gets the next; the refusal is a dead letter. One
that fails on one object while others pass gets these; where every message counts the failing one is
held, and tried again later.
"""
