"""A laboratory of peers: other people's OCPI software against a fresh hub (`make peers`).

Each is installed into an environment of its own below `.local/peers`, from the registries, or from
a folder that `PEERS` names where only a repository has it. The tests of every day meet the hub's
own sandbox; this shows what the hub meets that nobody here wrote.
"""
