"""The popularity head: its recipe, how it is chosen and fitted, and what makes of scores chances."""
