"""Public keys that a client registers by value: strong enough, named, and nothing private among them.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

from typing import Any, Final, NoReturn

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from fhir_server.outcome import invalid

_LEAST_BITS: Final = 2048
_MOST_BITS: Final = 8192  # a key that takes seconds to verify with would be an attack
_MOST_KEYS: Final = 20
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ALGORITHM: Final = {"RSA": "RS384", "EC": "ES384"}
_KEPT: Final = frozenset({"kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y"})


def checked_keys(jwks: dict[str, Any]) -> dict[str, Any]:
    """Give the key set with what is needed of it (no certificates, no addresses). Raises FhirError."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= _MOST_KEYS or not all(isinstance(key, dict) for key in keys):
        _refuse(f'expected {{"keys": [...]}} with 1 to {_MOST_KEYS} keys')
    checked = [_checked(key) for key in keys]
    names = [key["kid"] for key in checked]
    if len(set(names)) < len(names):
        _refuse("every key has a kid of its own")
    return {"keys": checked}


def _checked(key: dict[str, Any]) -> dict[str, Any]:
    if _PRIVATE & key.keys():
        _refuse("a private or shared key is in it: send the public part only, and make a new key, for this one is known now")
    kid, kty = key.get("kid"), key.get("kty")
    if not isinstance(kid, str) or not 0 < len(kid) <= 200:
        _refuse("every key has a kid")
    if kty not in _ALGORITHM or key.get("alg", _ALGORITHM[kty]) != _ALGORITHM[kty] or key.get("use", "sig") != "sig":
        _refuse("keys are for signatures with RS384 or ES384")
    kept = {name: value for name, value in key.items() if name in _KEPT}
    _check_strength(kept)
    return kept


def _check_strength(key: dict[str, Any]) -> None:
    try:
        imported = JWKRegistry.import_key(key)
        strong = _is_strong(imported)
    except (JoseError, ValueError, TypeError, KeyError):
        _refuse("a key cannot be read")
    if not strong:
        _refuse(f"a key is too weak: RSA of {_LEAST_BITS} to {_MOST_BITS} bits, or EC P-384")


def _is_strong(key: object) -> bool:
    if isinstance(key, RSAKey):
        return _LEAST_BITS <= key.public_key.key_size <= _MOST_BITS
    return isinstance(key, ECKey) and key.curve_name == "P-384"


def _refuse(why: str) -> NoReturn:
    raise invalid(f"jwks: {why}", "jwks", code="value")
