"""Client info: for every platform the status of the parties it may exchange messages with.

All is in one row for each platform and party (`hub.models.ClientInfo`):

    status        brings the rows in line with the parties' statuses; a change gets its last_updated
    views         the rows of the caller as a list, and what other hubs report to this one
    push          PUTs what a platform has not taken yet
    verification  compares a platform's copies now and then, and has wrong ones PUT again
    other_hubs    takes over what another hub reports of the parties behind it
"""
