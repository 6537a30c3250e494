"""HL7 v2.5 text as messages, segments, fields, components. Knows no FHIR."""
