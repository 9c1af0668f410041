"""The database: the only meeting point of engine, screen and command line.

`store.py` opens it and runs transactions, `schema.py` holds the migrations, `query.py` reads for people (table,
details, counts), the other modules write: `generations`, `submissions`, `downloads`, `accounts`.
"""
