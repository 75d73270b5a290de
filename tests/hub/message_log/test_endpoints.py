"""What a URL is about, whichever way it is spelled."""

from hub.message_log.endpoints import Endpoint, Endpoints, endpoint_of_hub

CPO, EMSP = "https://shared.example.com/ocpi/receiver/locations", "https://msp.example.com/loc"


def test_the_hubs_own_urls() -> None:
    """Functional modules, configuration modules, and what leads nowhere."""
    path = "NL/CPA/L1?x=%2F"
    assert endpoint_of_hub(f"/ocpi/2.2.1/receiver/locations/{path}") == Endpoint(
        "/ocpi/2.2.1/receiver/locations", path, "", "2.2.1", "locations", "RECEIVER"
    )
    assert (
        endpoint_of_hub("/ocpi/versions").module
        == endpoint_of_hub("/ocpi/2.2.1/").module
        == "versions"
    )
    assert endpoint_of_hub("/ocpi/2.2.1/credentials").module == "credentials"
    assert endpoint_of_hub("/ocpi/2.2.1", "POST").module == "credentials"
    assert endpoint_of_hub("/ocpi/2.2.1/receiver/locatoins/L1").module == ""
    assert endpoint_of_hub("/ocpi/2.2.1/receiver/locationsx").module == ""


def test_the_object_a_url_names() -> None:
    """Its own id, decoded; neither its owner's nor its parts'."""
    base = "/ocpi/2.2.1"
    assert endpoint_of_hub(f"{base}/receiver/locations/NL/CPA/L%2F1/E1/1").object_id() == "L/1"
    assert endpoint_of_hub(f"{base}/sender/sessions/S1/charging_preferences").object_id() == "S1"
    assert endpoint_of_hub(f"{base}/sender/locations?limit=1").object_id() == ""
    assert endpoint_of_hub(f"{base}/receiver/locations/NL").object_id() == ""


def test_of_a_shared_endpoint_the_receiver_decides_whose_it_is() -> None:
    """Two tenants of one installation have the same URL."""
    tenants = [Endpoint(CPO, "", name, "2.2.1", "locations", "RECEIVER") for name in ("A", "B")]
    places = Endpoints({CPO: tenants}, {"NL-CPB": "B"})
    found = places.of_peer(f"{CPO}/NL/CPA/L1?x=1", method="PUT", receiver="NL-CPB")
    assert (found.platform, found.path) == ("B", "NL/CPA/L1?x=1")


def test_a_url_that_nobody_registered() -> None:
    """The host stands for the platform."""
    found = Endpoints().of_peer(f"{EMSP}/x", method="GET", receiver="")
    assert (found.platform, found.module, found.path) == ("msp.example.com", "", f"{EMSP}/x")
