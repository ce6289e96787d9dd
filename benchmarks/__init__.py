"""Newsdesk beside its peers, on real articles. Not shipped."""
