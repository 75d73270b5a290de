"""A driver's data: where it stands, taken away, erased; how long what is kept, and for whom.

docs/privacy.md. `drivers` says who is meant, `charged` and `deposits` where a driver is found,
`erasure` and `extract` what becomes of it; `departure` ends what a platform left behind.
"""
