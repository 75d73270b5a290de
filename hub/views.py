"""One view for every functional module: authenticate, read, decide the route, answer.

Spec: 2.2.1 transport and format. URLs are matched against the declarations of the modules, so a
new module needs no view.
"""

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from hub import message_log
from hub.delivery import wake_up
from hub.gateway import message as gateway_message
from hub.gateway import open_routing, peer_feedback, records, routing
from hub.gateway.directory import PartyDirectory
from hub.gateway.handlers import HANDLERS
from hub.gateway.http import Answer, Received
from hub.gateway.implied_sender import requester
from hub.gateway.message import Message
from hub.gateway.routes import Broadcast, Open
from ocpi.errors import NotFound, OcpiError
from ocpi.server import OcpiView
from ocpi.transport.routing_headers import RoutingHeaders
from parties.authentication import TokenAuthentication
from parties.caller import Caller
from parties.hub_identity import hub_party


class NowhereView(OcpiView):
    """Any other URL below `/ocpi/`: 401 to strangers, 404 to platforms."""

    authentication_classes = [TokenAuthentication]
    accepts_token_a = True

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Answer 404 to every method once the caller is known."""
        super().initial(request, *args, **kwargs)
        message = "there is nothing at this URL; the endpoints are listed in the version details"
        raise NotFound(message)


class FunctionalModuleView(OcpiView):
    """Every interface of every functional module the hub serves."""

    authentication_classes = [TokenAuthentication]
    routing = RoutingHeaders()

    def answer(
        self, request: Request, *, version: str, interface: str, module: str
    ) -> HttpResponse:
        """Answer a request of any method, even one that OCPI does not have."""
        caller: Any = request.auth  # the `Caller` that TokenAuthentication found
        hub = hub_party()
        try:
            message = gateway_message.read(
                self._received(), caller, records, version=version, side=interface, module=module
            )
        except OcpiError:
            self.routing = RoutingHeaders(to=requester(request.headers, caller), sender=hub)
            raise
        self.routing = RoutingHeaders(to=message.sender, sender=hub)
        peer_feedback.of_message(message)
        answer = _answer(message, PartyDirectory(hub, message.holder, message.epoch))
        if answer.findings:
            peer_feedback.of_object(message, answer.findings)
        headers = {"Content-Type": "application/json", **answer.headers}
        return HttpResponse(answer.body, status=answer.http_status, headers=headers)

    get = put = patch = post = delete = answer
    http_method_not_allowed = answer  # type: ignore[assignment]  # an answer is no DRF Response

    def _received(self) -> Received:
        """Return the request without Django's types."""
        return Received(
            method=self.request.method or "",
            path=self.raw_path(),
            query=self.raw_query(),
            headers=self.request.headers,
            ids=self.message_ids,
            body=self.body,
        )

    def finalize_response(  # type: ignore[override]  # answers are rendered already
        self, request: Request, response: HttpResponseBase, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        """Add the routing headers of an answer of the hub; a party's answer has its own (A-18)."""
        for name, value in self.routing.as_headers().items():
            response.headers.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)


def _answer(message: Message, directory: PartyDirectory) -> Answer:
    """Decide the route, log it, and answer by its handler."""
    route = routing.decide(message, directory)
    if isinstance(route, Open):
        route = open_routing.decide(message, directory)
    message_log.on_routed(message, route)
    answer = HANDLERS[type(route)](message, route)
    if isinstance(route, Broadcast):
        wake_up.publish(message.module)
    return answer


def log_answer(view: OcpiView, response: HttpResponse, seconds: float, **_: Any) -> None:  # noqa: ANN401 - what signals carry
    """Tell the message log of any OCPI request and its answer."""
    answered = message_log.AnsweredRequest(
        method=view.request.method or "",
        path=view.raw_path(),
        query=view.raw_query(),
        headers=view.request.headers,
        ids=view.message_ids,
        caller=_presented_by(view),
        body=view.received,
        http_status=response.status_code,
        answer=response.content,
        seconds=seconds,
    )
    message_log.on_answered(answered)


def _presented_by(view: OcpiView) -> Caller | None:
    """Return the platform whose token was presented, even if it is not valid any more."""
    # Not `request.auth`: reading that would authenticate a refused request once more.
    found = getattr(view.request, "_auth", None) or getattr(view.request, "token_of", None)
    return found if isinstance(found, Caller) else None
