"""The hub as a Django app: configures the HTTP client and connects the signals."""

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.conf import settings
from django.http import HttpResponse

from ocpi import client
from ocpi.transport.error_answer import is_failure

if TYPE_CHECKING:
    from ocpi.server import OcpiView


class HubConfig(AppConfig):
    """The app of the hub; `ready` connects it to `ocpi` and `parties`, which do not import it."""

    name = "hub"
    verbose_name = "Roaming hub"

    def ready(self) -> None:
        """Hand the settings to the client, and wake delivery and pull when parties change."""
        # ruff: noqa: PLC0415 - they need the loaded models
        from hub import message_log
        from hub.pull import schedule
        from hub.tasks import delivery as delivery_tasks
        from hub.tasks import housekeeping
        from hub.tasks import pull as pull_tasks
        from ocpi.server import answered
        from parties import signals

        client.locate(partial(attrgetter("HUB_PUBLIC_URL", "ALLOWED_HOSTS"), settings))
        client.configure(
            client.AddressPolicy(
                allow_private=settings.HUB_ALLOW_PRIVATE_ADDRESSES,
                allow_http=settings.HUB_ALLOW_HTTP_PEERS,
            ),
            client.Limits(
                connect=settings.HUB_CONNECT_TIMEOUT,
                total=settings.HUB_REQUEST_TIMEOUT,
                max_bytes=settings.HUB_MAX_RESPONSE_BYTES,
                per_host=settings.HUB_REQUESTS_PER_PEER,
            ),
            listener=message_log.on_asked,
            product=f"{client.PRODUCT}/{settings.HUB_VERSION}",
        )
        answered.connect(_tell_of_answer, dispatch_uid="hub")
        signals.platform_heard_again.connect(schedule.on_heard_again, dispatch_uid="hub.pull")
        signals.agreement_changed.connect(schedule.on_agreement_changed, dispatch_uid="hub.pull")
        for signal in (
            signals.platform_registered,
            signals.platform_changed,
            signals.agreement_changed,
        ):
            signal.connect(delivery_tasks.on_parties_changed, dispatch_uid="hub")
            signal.connect(pull_tasks.on_parties_changed, dispatch_uid="hub.tasks.pull")
            signal.connect(housekeeping.on_parties_changed, dispatch_uid="hub.tasks.housekeeping")
        for signal in (signals.platform_returned, signals.platform_removed):
            signal.connect(housekeeping.on_parties_changed, dispatch_uid="hub.tasks.housekeeping")


def _tell_of_answer(view: "OcpiView", response: HttpResponse, seconds: float, **_: Any) -> None:  # noqa: ANN401 - what signals carry
    """Tell those who want to know of every answer, as `hub.exchange` does of a message's."""
    # ruff: noqa: PLC0415 - they need the loaded models
    from hub import message_log
    from hub.pull import outages
    from parties.caller import Caller

    # Not `request.auth`: reading that would authenticate a refused request once more.
    caller = getattr(view.request, "_auth", None)
    owes_reading = outages.note_answer(
        view.request.method or "",
        platform_id=caller.platform_id if isinstance(caller, Caller) else None,
        http_status=response.status_code,
        has_failed=view.error is not None and is_failure(view.error),
    )
    if owes_reading:
        outages.make_up()
    if settings.HUB_MESSAGE_LOG_DAYS:
        answered = message_log.AnsweredRequest(
            method=view.request.method or "",
            path=view.raw_path(),
            query=view.raw_query(),
            headers=view.request.headers,
            ids=view.message_ids,
            caller=getattr(view.request, "token_of", None),
            body=view.received,
            http_status=response.status_code,
            answer=response.content,
            seconds=seconds,
        )
        message_log.on_answered(answered)
