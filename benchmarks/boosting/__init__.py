"""Boosted trees that the popularity head stands beside: what they see, the two libraries, how their settings are chosen."""
