"""The authorization server over HTTP: OAuth's endpoints, the discovery documents, the pages of the login."""
