"""Promotions: from a template's steps to the end of the last one (behaviour file, section 4)."""
