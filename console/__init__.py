"""The operators' console: every page of Django's admin, its templates and scripts; no models."""
