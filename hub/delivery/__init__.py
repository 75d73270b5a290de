"""Delivery: every change reaches every party that may have it, whatever breaks meanwhile.

One thread of a worker works on one subscription's backlog at a time (`crew`, `engine.deliver`):

    claim the lease -> read changes the receiver may see -> one lane per object or part
      -> push the lanes in parallel -> advance the position -> again, until nothing is left

Where the newest state counts, what is sent is the message as it came in, if it still is the newest
of its lane and nothing before it was passed over; otherwise the lane's current state by PUT
(`lanes`). So whatever a receiver gets
reflects a state at least as new as all it got before, although a worker may die at any point and
its batch be sent again.

Where every message counts (`durable`), an object's messages go out one after the other as they came
in. Beside its position a subscription notes what is dealt with beyond a gap (`ahead`), which is
never sent again, and what may have arrived (`in_doubt`): a PATCH of it, or a PUT from before it, is
not repeated but replaced by the object's state, with all changes that state contains (`repeating`).

A receiver that cannot be reached stops the work: its platform backs off, until it calls us or the
time has come. A receiver that refuses one object gets the next; the refusal is a dead letter. One
that fails on one object while others pass gets these; where every message counts the failing one is
held, and tried again later.
"""
