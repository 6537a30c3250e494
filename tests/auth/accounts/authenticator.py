"""A security key made of software: ES256, no attestation.

https://www.w3.org/TR/webauthn-2/#sctn-authenticator-data
"""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def written(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")


class Authenticator:
    """A key that signs for one host; `counts` tells whether it counts its signatures."""

    def __init__(self, origin: str = "https://fhir.example.jp", rp_id: str = "fhir.example.jp", counts: bool = True) -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.id = os.urandom(32)
        self.flags = PRESENT | VERIFIED
        self.signed = 0
        self._counts = counts
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: str) -> str:
        """Answer navigator.credentials.create()."""
        client = self._client_data("webauthn.create", json.loads(options)["challenge"])
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._cose()
        data = self._data(self.flags | ATTESTED) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def sign(self, options: str, type: str = "webauthn.get") -> str:
        """Answer navigator.credentials.get()."""
        client = self._client_data(type, json.loads(options)["challenge"])
        self.signed += self._counts
        data = self._data(self.flags)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _client_data(self, type: str, challenge: str) -> bytes:
        return json.dumps({"type": type, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.signed)

    def _cose(self) -> bytes:
        point = self._key.public_key().public_numbers()
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})

    def _answer(self, **response: bytes) -> str:
        named = {name: written(octets) for name, octets in response.items()}
        return json.dumps({"id": written(self.id), "rawId": written(self.id), "type": "public-key", "response": named})
