"""The console's log-in form: the theme's, bounded in how often it may fail."""

from typing import TYPE_CHECKING, Any

from django import forms

from operators import throttling
from operators.addresses import address_of, subscriber

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    """Name and password; too many wrong ones are refused before the password is looked at."""

    def clean(self) -> dict[str, Any]:
        """Ask whether another attempt is allowed, then judge it."""
        account = str(self.cleaned_data.get("username", ""))
        address = subscriber(address_of(self.request) if self.request is not None else None)
        sentence = throttling.refusal(account, address)
        if sentence is not None:
            raise forms.ValidationError(sentence, code="throttled")
        cleaned = super().clean()
        throttling.succeeded(account, address)
        return cleaned
