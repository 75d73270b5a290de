"""Filters of the console's lists, as somebody types them into the URL."""

import pytest
from django.test import Client

from hub.pull import schedule
from sandbox import SandboxPlatform

LISTS = {
    "pullstate": ("module",),
    "deadletter": ("subscription__module",),
    "subscription": ("module",),
    "location": ("owner",),
    "session": ("owner",),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_filter_that_makes_no_sense_leads_back_to_the_list(
    pair: tuple[SandboxPlatform, SandboxPlatform], admin_client: Client, name: str
) -> None:
    """A NUL, a word for a number: no error of the server."""
    assert pair
    schedule.reconcile()
    for field in LISTS[name]:
        answer = admin_client.get(f"/admin/hub/{name}/", {field: "a\0b"}, follow=True)
        assert answer.status_code == 200
        assert answer.redirect_chain == [(f"/admin/hub/{name}/?e=1", 302)], field
