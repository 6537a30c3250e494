"""The network's certificates: who issues them, to whom, which are revoked, and what a connection proves by one.

NETWORK.md F010, F048-F051, F101-F105, F110, L06. Free of HTTP; the paths below `/pki` are in fhir_server.authorization.enrolment.
"""
