"""What the audit log tells to those who may ask: a facility, the regional bureau, a patient."""
