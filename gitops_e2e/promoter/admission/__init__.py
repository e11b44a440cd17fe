"""The admission webhooks: what is filled in and what is refused when objects of Kargo's kinds are written."""
