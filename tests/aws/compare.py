"""How what was read is compared with what was asked for."""

import json


def equal(what, seen, wanted):
    assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}"


def listed(value):
    return value if isinstance(value, list) else [value]


def by_sid(document):
    """The statements by their ids, with every bare value as a list of one."""
    document = json.loads(document) if isinstance(document, str) else document
    return {statement["Sid"]: as_lists(statement) for statement in listed(document["Statement"])}


def as_lists(value, name=""):
    if isinstance(value, dict):
        return {key: as_lists(member, key) for key, member in value.items()}
    if name in ("Sid", "Effect") or (name == "Principal" and value == "*"):
        return value
    return sorted(listed(value))


def tags_of(pairs, key="Key", value="Value"):
    return {pair[key]: pair[value] for pair in pairs}
