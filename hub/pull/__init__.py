"""Pull: lists of parties are read, for platforms that cannot push and for pushes that were missed.

Spec: 2.2.1 transport and format, pull and pagination; docs/architecture.md#pull.

One task works on one list, that of one module of one party, page by page (`crawl.crawl`):

    claim the lease -> ask for a page -> store what is new, quarantine what is broken
      -> note where the list goes on -> again, until the list ends or the time is up

A pause (`pace`) after a page has come, the next one is asked for (`page_ahead`): it comes, and is
checked, while the last one is stored. A page that is not the next one any more is dropped.

At most one list of a platform is read at a time, and lists of at most `HUB_PULL_PLATFORMS`
platforms at once. Where a list goes on is kept in its `PullState`: the worker that claims the lease
next continues there. The first crawl reads everything. Later ones read what was updated since the
last complete one began, and a little before that (`HUB_PULL_OVERLAP_MINUTES`); every
`HUB_PULL_FULL_DAYS` one reads everything again. What two full crawls in a row did not meet has
vanished (A-58).

Every object goes through `hub.store.pull_writes`: it is checked like a push, enters the feed like a
push if it is new, and never replaces something newer.
"""
