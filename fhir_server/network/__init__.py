"""What the network itself does when somebody asks: who is the same patient, consent forms, emergencies, erasure."""
