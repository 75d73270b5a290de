"""The menu leads to each page of the console, and each group sees what it may."""

import pytest
from django.contrib.admin import site
from django.test import Client, RequestFactory
from django.urls import reverse

from console.navigation import sidebar
from operators.groups import SHOWN_TO_ALL, Role
from tests.operators.staff import person

pytestmark = pytest.mark.django_db
LISTS = {
    model: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for model in site._registry
}


def links(role: Role) -> list[str]:
    """Return where the menu of a group leads."""
    request = RequestFactory().get(reverse("admin:index"))
    request.user = person(role.group, role)
    return [item["link"] for group in sidebar(request) for item in group["items"]]


def test_each_list_is_in_the_menu_once() -> None:
    """A page that registers itself is one row of the menu, or stands beside one."""
    led = links(Role.ADMINISTRATOR)
    assert len(led) == len(set(led))
    assert set(LISTS.values()) <= set(led)


def test_a_viewer_is_led_to_what_the_hub_holds_and_to_nothing_else() -> None:
    """Accounts and the audit are not in the menu of who may not see them."""
    shown = {url for model, url in LISTS.items() if model._meta.app_label in SHOWN_TO_ALL}
    assert set(links(Role.VIEWER)) & set(LISTS.values()) == shown


def test_each_page_says_what_its_rows_are_in_words(admin_client: Client) -> None:
    """The heading of a list is the plural that its model names itself by."""
    for model, url in LISTS.items():
        words = str(model._meta.verbose_name_plural)
        assert words.lower() in admin_client.get(url).content.decode().lower(), url
