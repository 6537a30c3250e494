"""HL7 v2.5 segments to FHIR resources, named as the JAMI ConceptMaps are."""
