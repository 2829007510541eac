"""What one section alone does to the machine, beyond reading files: a module for each, with a class `Reach(host)`.

They travel with their section only. Collectors get at them by `host.reach(section)`.
"""
