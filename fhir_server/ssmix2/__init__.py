"""SS-MIX2 import: standard storage trees into FHIR, each message one transaction, nothing lost in silence."""
