"""A platform's name and quirks as a form with one typed field each.

`parties.quirks` says what each quirk does.
"""

from typing import TYPE_CHECKING, Any

from django import forms

from parties.models import Platform
from parties.quirks import MOST, Quirks
from parties.registration.invitation import NotPossible, Starts, usable

if TYPE_CHECKING:
    from django.forms import CheckboxInput, NumberInput, RadioSelect
else:
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
    from unfold.widgets import UnfoldAdminRadioSelectWidget as RadioSelect
    from unfold.widgets import UnfoldBooleanSwitchWidget as CheckboxInput

_PREFIX = "quirk_"


def _switch(label: str, sentence: str) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, help_text=sentence, required=False, widget=CheckboxInput()
    )


class PlatformForm(forms.ModelForm[Platform]):
    """What an operator decides about a platform; everything else is decided by what happens."""

    class Meta:
        model = Platform
        fields = ("name",)

    quirk_base64_out = _switch("Base64 tokens", "Send our token Base64 encoded.")
    quirk_accept_raw_token = _switch("Accept raw tokens", "Accept its token without Base64.")
    quirk_patch_supported = _switch("Takes PATCH", "Send PATCH; otherwise the full object by PUT.")
    quirk_pull = _switch("Is pulled", "Read the lists it offers from time to time.")
    quirk_page_limit = forms.IntegerField(
        label="Page limit",
        help_text="Objects asked for in a page of its lists; 0 is what everybody is asked for.",
        min_value=0,
        max_value=MOST["page_limit"],
        widget=NumberInput(),
    )

    quirk_renew = _switch("Renew credentials", "Renew both tokens regularly, without being asked.")
    quirk_announces = _switch(
        "Names its parties", "A hub that adds parties by client info, beyond the list below."
    )

    quirk_authorize_seconds = forms.FloatField(
        label="Seconds to authorize",
        help_text="A driver waits so long for its answer; 0: as long as for any eMSP.",
        required=False,
        min_value=0,
        max_value=MOST["authorize_seconds"],
        widget=NumberInput(),
    )

    quirk_requests_per_minute = forms.IntegerField(
        label="Requests a minute",
        help_text="It may send so many, and a minute's at once; 0: HUB_REQUESTS_PER_MINUTE.",
        required=False,
        min_value=0,
        max_value=MOST["requests_per_minute"],
        widget=NumberInput(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        instance = kwargs.get("instance")
        quirks: Quirks = instance.quirks if instance is not None else Quirks()
        present = {f"{_PREFIX}{name}": value for name, value in quirks.as_mapping().items()}
        super().__init__(
            *args, **{**kwargs, "initial": {**present, **(kwargs.get("initial") or {})}}
        )

    def clean_name(self) -> str:
        """Leave out blanks around it: commands look platforms up by name."""
        try:
            return usable(self.cleaned_data["name"])
        except NotPossible as error:
            raise forms.ValidationError(str(error)) from None

    def clean_quirk_authorize_seconds(self) -> float:
        """Read an empty field as no time of its own."""
        return float(self.cleaned_data["quirk_authorize_seconds"] or 0)

    def clean_quirk_requests_per_minute(self) -> int:
        """Read an empty field as no rate of its own."""
        return int(self.cleaned_data["quirk_requests_per_minute"] or 0)

    def save(self, commit: bool = True) -> Platform:  # noqa: FBT001, FBT002 - Django's signature
        """Put the quirks back into their one column."""
        fields = {
            name: self.cleaned_data[name] for name in QUIRK_FIELDS if name in self.cleaned_data
        }
        changed = {name.removeprefix(_PREFIX): value for name, value in fields.items()}
        self.instance.quirks = Quirks.from_mapping({**self.instance.quirks.as_mapping(), **changed})
        return super().save(commit)


QUIRK_FIELDS = tuple(name for name in PlatformForm.base_fields if name.startswith(_PREFIX))


class NewPlatformForm(PlatformForm):
    """The same of a platform that is new, and who begins."""

    starts = forms.ChoiceField(
        label="Who starts",
        choices=[
            (Starts.PLATFORM.value, "The platform: it gets a token A from us"),
            (Starts.HUB.value, "The hub: the platform gave us its versions URL and a token A"),
        ],
        initial=Starts.PLATFORM.value,
        widget=RadioSelect(),
    )
