"""The base of every OCPI view: who calls, which message ids, and the raw path.

Spec: transport and format.
"""

from collections.abc import Sequence
from time import perf_counter

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.dispatch import Signal
from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from ocpi.errors import BodyTooLarge, NotJson, OcpiError
from ocpi.transport import paths
from ocpi.transport.message_ids import MessageIds

answered = Signal()
"""A request was answered: `view`, the `response`, and the `seconds` it took."""


class _AlwaysJson(BaseContentNegotiation):
    """OCPI has one format: nothing to negotiate."""

    def select_parser(self, request: Request, parsers: object) -> None:
        """Bodies are read as bytes."""

    def select_renderer(
        self, request: Request, renderers: object, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Answers are rendered envelopes already."""
        del request, renderers, format_suffix
        return BaseRenderer(), "application/json"


class OcpiView(APIView):
    """Echoes the message ids on every answer, errors included, and bounds what it reads."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    content_negotiation_class = _AlwaysJson
    http_method_names = ["get", "post", "put", "patch", "delete"]
    message_ids: MessageIds
    received = b""
    """The body as far as it was read."""
    error: OcpiError | None = None
    """What the answer says is wrong."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer, then send the signal `answered`."""
        started = perf_counter()
        response = super().dispatch(request, *args, **kwargs)
        seconds = perf_counter() - started
        answered.send_robust(type(self), view=self, response=response, seconds=seconds)
        return response

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Read the message ids before anything can fail, then authenticate."""
        self.message_ids = MessageIds.read(request.headers)
        super().initial(request, *args, **kwargs)

    def finalize_response(  # type: ignore[override]  # answers are rendered already
        self, request: Request, response: HttpResponseBase, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        """Give back the caller's own message ids."""
        del request, args, kwargs
        for name, value in self.message_ids.as_headers().items():
            response[name] = value
        return response

    def body(self) -> bytes:
        """Return the body as it was sent; raises `BodyTooLarge` beyond `HUB_MAX_BODY_BYTES`."""
        most: int = settings.HUB_MAX_BODY_BYTES
        try:
            # DRF's parsers have no use here: the bytes are relayed as they are.
            content: bytes = self.request._request.body  # noqa: SLF001
        except RequestDataTooBig:
            raise BodyTooLarge(f"the body is larger than {most} bytes") from None
        except UnreadablePostError:
            raise NotJson("the body broke off before its end") from None
        if len(content) > most:
            raise BodyTooLarge(f"the body is larger than {most} bytes")
        self.received = content
        return content

    def raw_path(self) -> str:
        """Return the path before its percent-encoding was undone."""
        return paths.raw_path(self.request._request)  # noqa: SLF001

    def raw_query(self) -> str:
        """Return the query string as it was sent."""
        return paths.raw_query(self.request._request)  # noqa: SLF001
