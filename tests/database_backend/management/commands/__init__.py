"""Django's commands, as the tests need them."""
