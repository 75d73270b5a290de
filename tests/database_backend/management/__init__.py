"""What empties the database of the tests."""
