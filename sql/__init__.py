"""The SQL of the store as package data: migrations per database, named statements, the cookbook. No code."""
