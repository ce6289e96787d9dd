"""Servers side by side, and clients that load them."""
