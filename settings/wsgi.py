"""Django's WSGI application, for any WSGI server that keeps the raw path in `RAW_URI`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.base")
application = get_wsgi_application()
