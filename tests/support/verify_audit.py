"""Verifies an export of an audit chain, after docs/audit.md alone: verify_audit.py FILE [NUMBER-HASH ...]"""
import hashlib
import json
import struct
import sys


def text(value):
    data = value.encode()
    return struct.pack(">Q", len(data)) + data


def digest(entry):
    numbers = struct.pack(">QQ", entry["seq"], entry["time"])
    before = bytes.fromhex(entry["previous"])
    return hashlib.sha256(before + text(entry["tenant"]) + numbers + text(entry["kind"]) + text(entry["body"])).hexdigest()


def broken(entries, heads):
    """The number of the first entry that is wrong, and what is wrong with it."""
    if not entries:
        return (min(heads), "truncated") if heads else None
    tenant, first = entries[0]["tenant"], entries[0]
    before = {"seq": first["seq"] - 1, "hash": first["previous"]}
    if first["seq"] == 1:
        before["hash"] = hashlib.sha256(text("portolan-audit-1") + text(tenant)).hexdigest()
    anchored = first["seq"] == 1 or heads.get(before["seq"]) == before["hash"]
    for entry in entries:
        if entry["tenant"] != tenant:
            return entry["seq"], "foreign"
        if entry["seq"] <= before["seq"]:
            return entry["seq"], "out_of_order"
        if entry["seq"] > before["seq"] + 1:
            return entry["seq"], "missing"
        if entry["previous"] != before["hash"]:
            return entry["seq"], "unlinked"
        if digest(entry) != entry["hash"]:
            return entry["seq"], "changed"
        if heads.get(entry["seq"], entry["hash"]) != entry["hash"]:
            return entry["seq"], "rewritten"
        if entry["kind"] == "checkpoint":
            kept = json.loads(entry["body"])
            anchored = anchored or (kept["first"], kept["previous"]) == (first["seq"], first["previous"])
        before = entry
    if not anchored:
        return first["seq"], "beheaded"
    return next(((seq, "truncated") for seq in sorted(heads) if seq > before["seq"]), None)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as lines:
        chain = [json.loads(line) for line in lines if line.strip()]
    published = {int(head.split("-")[0]): head.split("-")[1] for head in sys.argv[2:]}
    found = broken(chain, published)
    print(f"{found[0]} {found[1]}" if found else f"ok {len(chain)}")
    sys.exit(1 if found else 0)
