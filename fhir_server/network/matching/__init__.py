"""Who is the same patient (名寄せ): the golden Patients of the network, decisions on them, and the secretariat's work list."""
