"""What the audit log tells people: the patient, the facility, and whoever pays for sharing.

NETWORK.md F081, F092, F114, L21. Each report is asked for as an operation, and is itself an event of the log.
"""
