"""People's accounts: passwords, second factors, sessions. Personal IDs only (NETWORK.md L01, F100)."""
