"""Measurements that are run on demand (`make bench-…`); each prints its figures beside a floor or peers."""
