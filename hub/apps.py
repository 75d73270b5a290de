"""The hub as a Django app: configures the HTTP client and connects the signals."""

from django.apps import AppConfig
from django.conf import settings

from ocpi import client


class HubConfig(AppConfig):
    """The app of the hub; `ready` connects it to `ocpi` and `parties`, which do not import it."""

    name = "hub"
    verbose_name = "Roaming hub"

    def ready(self) -> None:
        """Hand the settings to the client, and wake delivery and pull when parties change."""
        # ruff: noqa: PLC0415 - they need the loaded models
        from hub import message_log, views
        from hub.pull import outages, schedule
        from hub.tasks import delivery as delivery_tasks
        from hub.tasks import housekeeping
        from hub.tasks import pull as pull_tasks
        from ocpi.server import answered
        from parties import signals

        client.locate(_own_address)
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
        answered.connect(views.log_answer, dispatch_uid="hub")
        answered.connect(outages.on_answered, dispatch_uid="hub.pull.outages")
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


def _own_address() -> client.OwnAddress:
    return client.OwnAddress.of(settings.HUB_PUBLIC_URL, settings.ALLOWED_HOSTS)
