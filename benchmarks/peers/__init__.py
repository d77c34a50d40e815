"""What compare.py is made of: the driver's parts (standard library only) and the peers' worker (needs the virtual environment)."""
