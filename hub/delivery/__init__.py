"""Delivery: every change reaches every party that may have it, whatever breaks meanwhile.

One task works on one subscription's backlog, never on one message (`engine.deliver`):

    claim the lease -> read changes the receiver may see -> one lane per object or part
      -> push the lanes in parallel -> advance the position -> again, until nothing is left

What is sent is the message as it came in, if it still is the newest of its lane; otherwise the
lane's current state by PUT (`lanes`). So whatever a receiver gets reflects a state at least as new
as all it got before, although a worker may die at any point and its batch be sent again.

A receiver that cannot be reached stops the task: its platform backs off, until it calls us or the
time has come. A receiver that refuses one object gets the next; the refusal is a dead letter.
"""
