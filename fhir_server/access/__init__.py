"""What a requester may do: role, scopes and compartment as one Permit."""
