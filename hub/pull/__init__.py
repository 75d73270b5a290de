"""Pull: what each party's lists have, for platforms that cannot push and for what was missed.

Spec: 2.2.1 transport and format, pull and pagination; docs/architecture.md#pull.

One task works on one list, that of one module of one party, page by page (`crawl.crawl`):

    claim the lease -> ask for a page -> store what is new, quarantine what is broken
      -> note where the list goes on -> pause -> again, until the list ends or the time is up

At most one list of a platform is read at a time, and of so many platforms at once as
`HUB_PULL_PLATFORMS` says. Where a list goes on stands in its `PullState`: whoever claims the lease
next continues there. The first crawl reads everything, the next ones what was updated since the
last complete one began, a little earlier even (`HUB_PULL_OVERLAP_MINUTES`), and everything again
every `HUB_PULL_FULL_DAYS`. What two full crawls in a row did not meet has vanished (A-58).

Everything goes through `hub.store.pull_writes`: checked like a push, fed like a push if it is new,
and never put in place of something newer.
"""
