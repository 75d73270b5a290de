"""Who is connected: what every platform is told of the parties it may exchange messages with.

One row for each platform and party (`hub.models.ClientInfo`) is the whole truth:

    standing   brings the rows in line with how the parties stand; a change gets its last_updated
    serving    is the view: the rows of the caller as a list, and what other hubs tell this one
    telling    PUTs what a platform has not taken yet, and looks at its copies now and then
    learning   takes over what another hub tells of the parties behind it
"""
