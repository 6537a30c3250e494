"""Who is the same person (名寄せ): reading, normalising and comparing patients. Pure: no database, no clock, no decision."""
