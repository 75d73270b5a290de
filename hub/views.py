"""One view for every functional module: authenticate, read, decide the route, answer.

Spec: 2.2.1 transport and format. URLs are matched against the declarations of the modules, so a
new module needs no view.
"""

from django.http.response import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from hub import message_log
from hub.gateway import handlers, observations, open_routing
from hub.gateway import message as gateway_message
from hub.gateway.message import Message
from hub.gateway.routing import AskAll, Broadcast, Decided, Direct, Known, Refused, Stored
from hub.tasks import delivery as delivery_tasks
from ocpi.errors import NotFound, OcpiError
from ocpi.server import OcpiResponse, OcpiView
from ocpi.transport.routing_headers import RoutingHeaders
from parties import observed_habits
from parties.authentication import TokenAuthentication
from parties.hub_identity import hub_party


class NowhereView(OcpiView):
    """Whatever the hub does not have below `/ocpi/`: 401 to strangers, 404 to the rest."""

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
        """Answer any method, also one that OCPI does not have."""
        try:
            message = gateway_message.read(
                self, version=version, interface=interface, module=module
            )
        except OcpiError:
            self.routing = RoutingHeaders(to=gateway_message.requester(request), sender=hub_party())
            raise
        self.routing = RoutingHeaders(to=message.sender, sender=hub_party())
        observed_habits.note(message.platform_id, observations.of_message(message, request.headers))
        if message.is_result:
            message_log.goes(message)
            return handlers.of_result(message)
        route = open_routing.route(message)
        message_log.goes(message, route)
        return _follow(message, route)

    get = put = patch = post = delete = answer
    http_method_not_allowed = answer  # type: ignore[assignment]  # an answer is no DRF Response

    def finalize_response(  # type: ignore[override]  # answers are rendered already
        self, request: Request, response: HttpResponseBase, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        """Say from whom the answer is: from the hub, unless it is a party's (A-18)."""
        for name, value in self.routing.as_headers().items():
            response.headers.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)


def _follow(message: Message, route: Decided) -> HttpResponse:
    """Go the way that was decided."""
    match route:
        case Direct(destination):
            return handlers.relayed(message, destination)
        case Broadcast():
            answer = handlers.accepted(message)
            delivery_tasks.wake(message.module.identifier)
            return answer
        case Stored():
            return handlers.stored(message)
    return _answered_by_hub(message, route)


def _answered_by_hub(message: Message, route: Known | AskAll | Refused) -> HttpResponse:
    match route:
        case Known(data):
            return OcpiResponse(data)
        case AskAll():
            return handlers.authorized(message)
        case Refused(error):
            raise error
