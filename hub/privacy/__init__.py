"""A driver's data: where it stands, extracted, erased; what is kept how long, and for whom.

docs/privacy.md. `drivers` says who is meant and which tokens, Sessions and CDRs are the driver's;
`personal_tables` finds the driver in the texts of all other tables, `spellings` in one text.
`extract` and `erasure` go through all of it; `departure` removes what a platform left behind,
`personal_retention` what is too old, and `jobs` lets the console start such work.
"""
