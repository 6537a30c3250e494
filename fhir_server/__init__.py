"""FHIR R4 interoperability server: the only package that does input and output."""
