"""The view of what is nowhere."""

from rest_framework.request import Request

from ocpi.errors import NotFound
from parties.views import PlatformView


class NowhereView(PlatformView):
    """Any other URL below `/ocpi/`: 401 to strangers, 404 to platforms."""

    accepts_token_a = True

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Answer 404 to every method once the caller is known."""
        super().initial(request, *args, **kwargs)
        message = "there is nothing at this URL; the endpoints are listed in the version details"
        raise NotFound(message)
