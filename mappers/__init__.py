"""SS-MIX2 messages (HL7 v2.5) to FHIR R4 resources of JP Core. Pure: no input, no output, no clock."""
