"""Client info over HTTP: the list of each caller, and what other hubs report to this one.

Spec: 2.2.1 mod_hub_client_info. It is a Configuration Module, without routing headers.
"""

from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from hub.client_info import other_hubs
from hub.client_info.client_info_object import ClientInfoObject
from hub.gateway.records import check_version
from hub.models import ClientInfo
from ocpi.errors import Finding, InvalidParameters, NotFound
from ocpi.server import OcpiResponse
from ocpi.transport.pagination import PageRequest, next_link
from ocpi.types import InterfaceRole, ModuleID, PartyRef, fold
from ocpi.validation import decode_object
from parties.caller import Caller
from parties.hub_identity import endpoint_url, served_version
from parties.models import Party
from parties.registration.credentials_object import may_be_hub
from parties.views import PlatformView

_FILTERS = ("date_from", "date_to")


class ClientInfoListView(PlatformView):
    """The SENDER interface: every party the caller may exchange messages with."""

    def get(self, request: Request, version: str) -> HttpResponse:
        """Return a page of the list."""
        caller = self.caller
        served = served_version(version)
        check_version(version, caller)
        page_request = PageRequest.read(request.query_params.dict())
        most: int = settings.HUB_PAGE_LIMIT
        limit = min(page_request.limit or settings.HUB_PAGE_LIMIT_DEFAULT, most)
        rows = _filtered(ClientInfo.objects.filter(platform=caller.platform_id), page_request)
        total, end = rows.count(), page_request.offset + limit
        page = [_info(row).as_json() for row in rows.order_by("pk")[page_request.offset : end]]
        headers = {"X-Total-Count": str(total), "X-Limit": str(most)}
        if end < total:
            given = {
                name: request.query_params[name]
                for name in _FILTERS
                if request.query_params.get(name)
            }
            url = endpoint_url(served, ModuleID.HUBCLIENTINFO, InterfaceRole.SENDER)
            headers["Link"] = next_link(
                f"{url}?{urlencode({**given, 'offset': end, 'limit': limit})}"
            )
        return OcpiResponse(msgspec.json.encode(page), headers=headers)


class ClientInfoView(PlatformView):
    """The RECEIVER interface, for other hubs: the parties behind them."""

    def get(
        self, _request: Request, version: str, country_code: str, party_id: str
    ) -> HttpResponse:
        """Return what the calling hub last reported of a party."""
        platform_id = _calling_hub(self.caller, version)
        ref = PartyRef(country_code, party_id)
        reports = Party.objects.filter(platform=platform_id, key=str(ref)).exclude(reported_at=None)
        party = reports.order_by("role").first()
        if party is None or party.reported_at is None:
            raise NotFound(f"the hub was told nothing of {ref} by this platform")
        info = ClientInfoObject(
            party.country_code, party.party_id, party.role, party.reported_status, party.reported_at
        )
        return OcpiResponse(msgspec.json.encode(info.as_json()))

    def put(
        self, _request: Request, version: str, country_code: str, party_id: str
    ) -> HttpResponse:
        """Take over the status of a party behind the calling hub."""
        platform_id = _calling_hub(self.caller, version)
        value = decode_object(self.body())
        for name, in_url in (("country_code", country_code), ("party_id", party_id)):
            said = value.get(name)
            if isinstance(said, str) and fold(said) != fold(in_url):
                found = Finding(name, f"is {said!r:.80} in the body but {in_url!r} in the URL")
                raise InvalidParameters(findings=(found,))
        other_hubs.take_over(platform_id, value)
        return OcpiResponse()


def _calling_hub(caller: Caller, version: str) -> int:
    """Return the id of the calling platform; raises `NotFound` unless it may be a hub."""
    served_version(version)
    check_version(version, caller)
    if not may_be_hub(caller.platform_id):
        raise NotFound("only another hub tells this one of parties")
    return caller.platform_id


def _filtered(rows: QuerySet[ClientInfo], asked: PageRequest) -> QuerySet[ClientInfo]:
    """Filter by last_updated: `date_from` inclusive, `date_to` exclusive."""
    if asked.date_from is not None:
        rows = rows.filter(last_updated__gte=asked.date_from)
    return rows.filter(last_updated__lt=asked.date_to) if asked.date_to is not None else rows


def _info(row: ClientInfo) -> ClientInfoObject:
    return ClientInfoObject(row.country_code, row.party_id, row.role, row.status, row.last_updated)
