"""HL7 v2.5 data types to FHIR element types."""
