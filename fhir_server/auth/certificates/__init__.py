"""The network's own certificates: authority, enrolment, revocation, and what a connection proves."""
