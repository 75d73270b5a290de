"""Registration, authentication and access, mostly over real HTTP."""
