"""The database's shape: numbered migrations, applied by `user_version`.

Owns: every CREATE and ALTER. Refuses: rows. The names in `generations`, `submissions` and `downloads` are the API's
own and those that scripts read with `--json`; columns behind the line `-- ours` are not promised to anyone.
"""

from __future__ import annotations

FIRST = """
CREATE TABLE meta (
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1);

CREATE TABLE generations (
  profile TEXT NOT NULL,
  generation_id TEXT NOT NULL,
  status TEXT,
  model TEXT,
  credits_estimate INTEGER,
  credits_used INTEGER,
  elapsed_ms INTEGER,
  duration_ms INTEGER,
  created_at TEXT,
  completed_at TEXT,
  error TEXT,
  message TEXT,
  output_url TEXT,
  output_urls TEXT,
  tracked_at TEXT NOT NULL,
  checked_at TEXT,
  gone TEXT,
  body TEXT,
  submission_id TEXT,
  retry_of TEXT,
  request_id TEXT,
  next TEXT,
  -- ours
  prompt TEXT,
  note TEXT,
  sort_ms INTEGER NOT NULL,
  hurry INTEGER NOT NULL DEFAULT 0,
  wanted_in TEXT,
  forgotten_at TEXT,
  section INTEGER GENERATED ALWAYS AS (CASE
    WHEN forgotten_at IS NOT NULL THEN NULL
    WHEN gone IS NULL AND (status IS NULL OR status NOT IN ('completed', 'failed')) THEN 0
    ELSE 1 END) VIRTUAL,
  phase TEXT GENERATED ALWAYS AS (CASE
    WHEN forgotten_at IS NOT NULL THEN NULL
    WHEN status = 'completed' THEN 'done'
    WHEN status = 'failed' THEN 'failed'
    WHEN gone IS NOT NULL THEN 'gone'
    WHEN status = 'pending' THEN 'queued'
    ELSE 'active' END) VIRTUAL,
  PRIMARY KEY (profile, generation_id)
) STRICT;
CREATE INDEX generations_order ON generations (profile, section, sort_ms DESC, generation_id);
CREATE INDEX generations_phase ON generations (profile, phase);
CREATE INDEX generations_wanted ON generations (profile) WHERE wanted_in IS NOT NULL;
CREATE INDEX generations_lineage ON generations (profile, retry_of) WHERE retry_of IS NOT NULL;

CREATE TABLE submissions (
  submission_id TEXT PRIMARY KEY,
  profile TEXT NOT NULL,
  state TEXT NOT NULL,
  generation_id TEXT,
  retry_of TEXT,
  body TEXT NOT NULL,
  error TEXT,
  message TEXT,
  next TEXT,
  request_id TEXT,
  balance_before INTEGER,
  balance_after INTEGER,
  created_at TEXT NOT NULL,
  -- ours
  model TEXT,
  prompt TEXT,
  credits_estimate INTEGER,
  sent_at TEXT,
  held INTEGER NOT NULL DEFAULT 0,
  checked INTEGER NOT NULL DEFAULT 1,
  position REAL NOT NULL,
  sort_ms INTEGER NOT NULL,
  forgotten_at TEXT,
  section INTEGER GENERATED ALWAYS AS (CASE
    WHEN forgotten_at IS NOT NULL OR state IN ('accepted', 'cancelled') THEN NULL
    WHEN state IN ('queued', 'sending', 'unknown') THEN 0
    ELSE 1 END) VIRTUAL,
  phase TEXT GENERATED ALWAYS AS (CASE
    WHEN forgotten_at IS NOT NULL OR state IN ('accepted', 'cancelled') THEN NULL
    WHEN state IN ('refused', 'unknown') THEN 'failed'
    ELSE 'queued' END) VIRTUAL
) STRICT;
CREATE INDEX submissions_order ON submissions (profile, section, sort_ms DESC, submission_id);
CREATE INDEX submissions_queue ON submissions (profile, state, position);
CREATE INDEX submissions_lineage ON submissions (profile, retry_of) WHERE retry_of IS NOT NULL;

CREATE TABLE downloads (
  profile TEXT NOT NULL,
  generation_id TEXT NOT NULL,
  "index" INTEGER NOT NULL,
  url TEXT NOT NULL,
  state TEXT NOT NULL,
  path TEXT,
  size_bytes INTEGER,
  received_bytes INTEGER NOT NULL DEFAULT 0,
  sha256 TEXT,
  verified INTEGER,
  error TEXT,
  -- ours
  directory TEXT,
  part TEXT,
  etag TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  link_asked INTEGER NOT NULL DEFAULT 0,
  wished_at TEXT NOT NULL,
  PRIMARY KEY (profile, generation_id, "index")
) STRICT;
CREATE INDEX downloads_work ON downloads (profile, state) WHERE state IN ('queued', 'active', 'paused');

CREATE TABLE accounts (
  profile TEXT PRIMARY KEY,
  balance INTEGER,
  tier TEXT,
  calls_per_minute INTEGER,
  concurrent_jobs INTEGER,
  cycle_resets_at TEXT,
  spent_this_cycle INTEGER,
  granted_this_cycle INTEGER,
  asked_at TEXT,
  queue_paused TEXT,
  queue_needs INTEGER
) STRICT;

CREATE TABLE models (
  profile TEXT NOT NULL,
  slug TEXT NOT NULL,
  category TEXT,
  facts TEXT NOT NULL,
  PRIMARY KEY (profile, slug)
) STRICT;

CREATE TABLE engines (
  profile TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  connection TEXT NOT NULL,
  detail TEXT,
  hint TEXT,
  request_id TEXT,
  until TEXT,
  calls_used INTEGER,
  calls_remaining INTEGER,
  trouble TEXT,
  at TEXT NOT NULL
) STRICT;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  profile TEXT NOT NULL,
  subject TEXT NOT NULL,
  at TEXT NOT NULL,
  event TEXT NOT NULL,
  detail TEXT
) STRICT;
CREATE INDEX events_subject ON events (profile, subject, seq);

-- How many rows of each phase, kept by triggers: counting 100,000 rows at every change would cost 15 ms.
CREATE TABLE counts (
  profile TEXT NOT NULL,
  phase TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (profile, phase)
) STRICT, WITHOUT ROWID
"""


def _counting_triggers(table: str) -> str:
    plus = (
        "INSERT INTO counts SELECT NEW.profile, NEW.phase, 1 WHERE NEW.phase IS NOT NULL"
        " ON CONFLICT DO UPDATE SET number = number + 1;"
    )
    minus = "UPDATE counts SET number = number - 1 WHERE profile = OLD.profile AND phase = OLD.phase;"
    return (
        f";\nCREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN {plus} END"
        f";\nCREATE TRIGGER {table}_removed AFTER DELETE ON {table} BEGIN {minus} END"
        f";\nCREATE TRIGGER {table}_changed AFTER UPDATE ON {table} WHEN OLD.phase IS NOT NEW.phase"
        f" BEGIN {minus} {plus} END"
    )


FIRST += _counting_triggers("generations") + _counting_triggers("submissions")

# Retries that ask the API first; what past generations cost; whether the balance moved as the API said.
MONEY = """
ALTER TABLE submissions ADD COLUMN ask_first INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submissions ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
ALTER TABLE generations ADD COLUMN audit INTEGER;
CREATE INDEX generations_charged ON generations (profile, model, sort_ms DESC) WHERE status = 'completed';
CREATE TABLE audits (
  audit INTEGER PRIMARY KEY,
  profile TEXT NOT NULL,
  began_at TEXT NOT NULL,
  ended_at TEXT,
  balance_before INTEGER NOT NULL,
  balance_after INTEGER,
  charged INTEGER DEFAULT 0,
  jobs INTEGER NOT NULL DEFAULT 0,
  unknown INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX audits_open ON audits (profile) WHERE ended_at IS NULL
"""

# What the scheduler reads after every answer must not cost more when thousands of rows wait or have ended.
POLLING = """
CREATE INDEX generations_live ON generations (profile)
  WHERE status NOT IN ('completed', 'failed') AND gone IS NULL AND forgotten_at IS NULL;
CREATE INDEX generations_unasked ON generations (profile, sort_ms)
  WHERE status IS NULL AND gone IS NULL AND forgotten_at IS NULL;
CREATE INDEX generations_hurried ON generations (profile) WHERE hurry = 1;
CREATE INDEX generations_history ON generations (profile, model, completed_at)
  WHERE status = 'completed' AND duration_ms > 0;
ALTER TABLE engines ADD COLUMN unasked INTEGER;
ALTER TABLE engines ADD COLUMN unasked_of INTEGER;
ALTER TABLE engines ADD COLUMN unasked_s INTEGER
"""

# Which ends were told to somebody, by whichever dashboard saw them first; and whose end is wanted to be told by name.
NEWS = """
ALTER TABLE generations ADD COLUMN tell INTEGER NOT NULL DEFAULT 0;
CREATE TABLE told (profile TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID
"""

# What a filter by text looks at, in the order of the table: 100,000 rows are looked through in 40 ms, not 75, and need
# no sorting. A full-text index would answer in 1 ms, but took 5 s to build, half as much disk again, and words of three
# letters at least.
FILTER = """
CREATE INDEX generations_text ON generations
  (profile, section, sort_ms DESC, generation_id, prompt, model, error, gone, phase) WHERE section IS NOT NULL
"""

# What the table is sorted by, each in the order of the table among equals: a page of any order, its last one too, is
# read from an index in some ms, and following changes costs no more than without sorting. `rank` goes by urgency; it
# stands at their end for the filter by status.
ORDERS = """
ALTER TABLE generations ADD COLUMN credits INTEGER GENERATED ALWAYS AS
  (coalesce(credits_used, credits_estimate)) VIRTUAL;
ALTER TABLE generations ADD COLUMN outputs INTEGER GENERATED ALWAYS AS
  (nullif(CASE WHEN json_valid(output_urls) THEN json_array_length(output_urls) ELSE output_url IS NOT NULL END, 0))
  VIRTUAL;
ALTER TABLE generations ADD COLUMN rank INTEGER GENERATED ALWAYS AS
  (CASE phase WHEN 'active' THEN 0 WHEN 'queued' THEN 1 WHEN 'failed' THEN 2 WHEN 'gone' THEN 3 ELSE 4 END) VIRTUAL
"""
for _name, _key in (
    ("rank", "rank"), ("model", "model"), ("duration", "duration_ms DESC"), ("credits", "credits DESC"),
    ("outputs", "outputs DESC"), ("id", "generation_id"),
):  # fmt: skip
    ORDERS += (
        f";\nCREATE INDEX generations_by_{_name} ON generations"
        f" (profile, {_key}, section, sort_ms DESC, generation_id, rank) WHERE section IS NOT NULL"
    )

# What the engine should do otherwise than the config says: it may run in another process than the dashboard.
WISHES = """
CREATE TABLE wishes (profile TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (profile, name))
  STRICT, WITHOUT ROWID
"""

# What the statistics read of each generation, in the order in which they are counted: 6 MB for 100,000 rows, where the
# rows themselves are 100. And the calls that were made, by day and purpose.
STATISTICS = """
CREATE INDEX generations_statistics ON generations
  (profile, model, status, error, duration_ms, sort_ms, credits_used, credits_estimate);
CREATE TABLE calls (
  profile TEXT NOT NULL,
  day TEXT NOT NULL,
  purpose TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (profile, day, purpose)
) STRICT, WITHOUT ROWID
"""

# Outputs that somebody wants to look at without keeping them.
GLIMPSES = """
CREATE TABLE glimpses (
  profile TEXT NOT NULL,
  generation_id TEXT NOT NULL,
  "index" INTEGER NOT NULL,
  url TEXT NOT NULL,
  state TEXT NOT NULL,
  path TEXT,
  error TEXT,
  wished_at TEXT NOT NULL,
  PRIMARY KEY (profile, generation_id, "index")
) STRICT
"""

# All that a filter by text looks at in one column, a line each: one comparison a row instead of five makes it 30 ms.
HAYSTACK = """
DROP INDEX generations_text;
ALTER TABLE generations ADD COLUMN haystack TEXT GENERATED ALWAYS AS (
  generation_id || char(10) || coalesce(prompt, '') || char(10) || coalesce(model, '')
  || char(10) || coalesce(error, '') || char(10) || coalesce(gone, '')) VIRTUAL;
CREATE INDEX generations_text ON generations
  (profile, section, sort_ms DESC, generation_id, haystack, phase) WHERE section IS NOT NULL
"""

MIGRATIONS: tuple[str, ...] = (
    FIRST, MONEY, POLLING, NEWS, FILTER, ORDERS, WISHES, STATISTICS, GLIMPSES, HAYSTACK,
)  # fmt: skip
VERSION = len(MIGRATIONS)
