"""What Django's admin finds: every page registers itself when its module is imported."""

from importlib import import_module
from pkgutil import iter_modules

import console

for found in iter_modules(console.__path__):
    import_module(f"{console.__name__}.{found.name}")
