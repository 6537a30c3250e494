"""Who is asking: people and systems, their credentials, and the tokens they get for them.

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""
