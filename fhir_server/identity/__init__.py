"""Who is the same patient (名寄せ): comparing demographics, without a database."""
