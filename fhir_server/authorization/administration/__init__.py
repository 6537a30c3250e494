"""The administration of the network: facilities, people, clients, sessions. Commands and the secretariat's interface do it with these."""
