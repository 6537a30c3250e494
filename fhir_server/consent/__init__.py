"""What the patient allows: Consent as rules, as decisions, and as a part of every query."""
