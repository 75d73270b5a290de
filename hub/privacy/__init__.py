"""Personal data: extracted and erased for a driver, forgotten with a platform, deleted in time.

docs/privacy.md. `drivers` says who is meant and which tokens, Sessions and CDRs are the driver's;
`personal_tables` finds the driver in the texts of all other tables, `spellings` in one text.
`extract` and `erasure` go through all of it. `departure` removes the data of a platform,
`personal_retention` what is too old; `jobs` lets the console start such work.
"""
