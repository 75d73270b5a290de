"""Django's PostgreSQL, emptied between tests in milliseconds."""
