"""What the authorization server says of itself, as others judge it."""

from authlib.oauth2 import rfc8414, rfc9207

from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.discovery import CAPABILITIES, openid_configuration, scopes_supported, server_metadata, smart_configuration
from tests.auth.oauth.world import grammar

ADDRESSES = Addresses.of("https://tsunagi.example.org/fhir/")
TYPES = ("Patient", "Observation")


def test_the_issuer_is_the_base_without_its_last_segment():
    assert Addresses("https://tsunagi.example.org", "https://tsunagi.example.org/fhir") == ADDRESSES
    assert Addresses.of("https://a.example/tsunagi/fhir").issuer == "https://a.example/tsunagi"


def test_the_metadata_is_valid_by_rfc_8414_and_rfc_9207():
    for document in (server_metadata, openid_configuration, smart_configuration):
        found = rfc8414.AuthorizationServerMetadata(document(ADDRESSES, TYPES, certificates=True))
        found.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])


def test_smart_configuration_has_what_smart_requires():
    found = smart_configuration(ADDRESSES, TYPES)
    for name in ("issuer", "jwks_uri", "authorization_endpoint", "token_endpoint", "grant_types_supported", "capabilities"):
        assert found[name]
    assert found["code_challenge_methods_supported"] == ["S256"], "plain must not be there"
    assert {"authorization_code", "client_credentials"} <= set(found["grant_types_supported"])
    assert found["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert {"launch-ehr", "launch-standalone", "client-public", "client-confidential-asymmetric", "permission-v2"} <= set(CAPABILITIES)


def test_nothing_is_listed_that_is_not_there():
    without = server_metadata(ADDRESSES, TYPES)
    assert "tls_client_auth" not in without["token_endpoint_auth_methods_supported"]
    assert without["tls_client_certificate_bound_access_tokens"] is False
    assert "none" not in without["introspection_endpoint_auth_methods_supported"]
    assert "context-standalone-encounter" not in CAPABILITIES
    assert "client_secret_post" not in str(without)


def test_every_scope_that_is_listed_can_be_asked_for():
    scopes = scopes_supported(TYPES)
    grammar().parse(" ".join(scopes), mixed=True)
    assert {"patient/Observation.cruds", "system/*.cruds", "openid", "launch/patient"} <= set(scopes)
