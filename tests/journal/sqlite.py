# SQLite for tests: a line of JSON in, `[database, statement, [bound]]`, and a line of JSON out, the first column of its rows.
import json
import sqlite3
import sys

databases = {}
for line in sys.stdin:
    name, statement, bound = json.loads(line)
    database = databases.setdefault(name, sqlite3.connect(":memory:", isolation_level=None))
    rows = database.execute(statement, bound).fetchall()
    explained = statement.startswith("EXPLAIN")
    print(json.dumps([row[-1 if explained else 0] for row in rows]), flush=True)
