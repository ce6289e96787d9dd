"""Newsdesk's training: labelled articles and ranking boxes in, a version folder out."""
