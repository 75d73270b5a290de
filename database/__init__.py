"""Thin layers over psycopg and Redis, which hub, parties and operators share."""
