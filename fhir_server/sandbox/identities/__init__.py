"""A population with known truth, as its facilities wrote it down: what the matching of patients (名寄せ) is measured with."""
