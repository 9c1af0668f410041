"""From a file of a stranger to a small picture: `request` asks for it, `worker` makes it in a process of its own.

The bytes of an output were made elsewhere, and decoders have holes. So they run apart: with a limit on memory, on
processor time and on the clock, without the API key in their environment, and what they hand back is nothing but
numbers and pixels, counted before they are believed.
"""
