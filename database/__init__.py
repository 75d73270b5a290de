"""A thin layer over psycopg that hub and parties share."""
