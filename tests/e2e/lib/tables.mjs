// What tenants' objects have stored, read from their files by another hand than the Worker's.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

const READ = `
import glob, json, sqlite3, sys
folder, statement = sys.argv[1:3]
rows = []
for name in glob.glob(folder + "/*.sqlite"):
    if "metadata" in name: continue
    base = sqlite3.connect(f"file:{name}?mode=ro", uri=True, timeout=10)
    try:
        cursor = base.execute(statement)
        columns = [column[0] for column in cursor.description]
        rows += [dict(zip(columns, map(lambda value: str(value) if isinstance(value, int) else value, row))) for row in cursor]
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error): raise
    base.close()
print(json.dumps(rows))
`;

/** Rows of all tenants' objects. Integers come as text: money is larger than what numbers here can hold. */
export function select(gateway, statement) {
  const folder = path.join(gateway.state, "do");
  const own = existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith("TenantObject")) : undefined;
  if (!own) return [];
  return JSON.parse(execFileSync("python3", ["-c", READ, path.join(folder, own), statement], { maxBuffer: 1 << 28 }).toString());
}

/** Closed entries: what was told of the beginning and of the end. */
export function entries(gateway) {
  return select(gateway, "SELECT entry FROM entries ORDER BY opened, id").map(({ entry }) => ({ ...JSON.parse(entry), text: entry }));
}

export const open = (gateway) => select(gateway, "SELECT id, opening FROM open").map(({ id, opening }) => ({ id, ...JSON.parse(opening) }));

/** A sum over all hours, exact. */
export function total(gateway, column) {
  return select(gateway, `SELECT ${column} FROM usage`).reduce((sum, row) => sum + BigInt(row[column]), 0n);
}

/** The cost of an entry or a record, exact: from its text. */
export const costOf = (text) => BigInt(/"cost":(\d+)/.exec(text)?.[1] ?? 0);
