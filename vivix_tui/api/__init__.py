"""The Vivix API as this program speaks it: one method per endpoint, tolerant reading, one gate for every call."""
