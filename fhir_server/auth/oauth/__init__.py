"""The rules of the authorization server, free of HTTP. https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html"""
