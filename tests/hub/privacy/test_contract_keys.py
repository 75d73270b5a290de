"""Sessions and CDRs from before contracts were searched by: the migration finds theirs."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection

from hub.models import Session
from hub.privacy.drivers import Driver, charged
from tests.console.test_charged_objects import CONTRACT, a_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.security("S-25")]


def test_a_driver_is_found_by_a_contract_of_before() -> None:
    """What names no contract, or one the database cannot hold, keeps no other from being found."""
    a_session("S1")
    a_session("S2").__class__.objects.filter(object_id="S2").update(text='{"cdr_token": {}}')
    a_session("S3")
    broken = '{"cdr_token": {"contract_id": "a\\u0000b"}}'
    Session.objects.filter(object_id="S3").update(text=broken)
    fill = import_module("hub.migrations.0017_contract_keys").fill
    fill(None, SimpleNamespace(connection=connection))
    assert [row.object_id for row in charged(Driver.named([], [CONTRACT]), Session)] == ["S1"]
