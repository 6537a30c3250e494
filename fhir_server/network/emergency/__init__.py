"""Reading without consent: break-glass of one person, disasters of an area, and the review of both.

NETWORK.md D9, D10, F005, F025, L15, L20, S50.
"""
