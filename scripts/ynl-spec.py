#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Says whether the specification of NETLINK_KERROR for YNL is good: ynl-spec.py TREE
#
# TREE is a kernel's source with the series. Its own tools read the specification by its
# own schema, print the documentation, and C as far as they can. The compiler compares
# each number, size and offset with the UAPI headers. Each constant of these must be in
# the specification, or in the list of those that it cannot have. Fails with what differs.
import os
import re
import subprocess
import sys
import tempfile

tree = os.path.abspath(sys.argv[1])
ynl = tree + "/tools/net/ynl"
is_new = os.path.isdir(ynl + "/pyynl")
tools = ynl + "/pyynl" if is_new else ynl
sys.path.insert(0, tools)
sys.dont_write_bytecode = True
from lib import SpecFamily	# pylint: disable=import-error,wrong-import-position

UAPI = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../include/uapi")
SPEC = tree + "/Documentation/netlink/specs/kerror.yaml"
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}
# Text about messages that the schema has no words for; and a number of elements
WITHOUT = set("""KERROR_GROUP_ALL KERROR_MSG_REPLAY KERROR_MSG_STATISTICS KERROR_MSG_BOOTS
    KERROR_MSG_BOOT KERROR_CAUSES KERROR_END_NONE KERROR_END_CLEAN KERROR_END_PANIC
    KERROR_END_CUT""".split())


def name_in_c(name):
    return name.replace("-", "_")


def size_of(member, family):
    kind = member["type"]
    if kind != "binary":
        return SIZES[kind]
    if "struct" in member:
        return sum(size_of(m, family) for m in family.consts[member["struct"]].yaml["members"])
    return member["len"]


def numbers(family):
    """Pairs: a constant in C, and its value here"""
    yield "NETLINK_KERROR", family.yaml["protonum"]
    for item in family.yaml["definitions"]:
        if item["type"] == "const":
            prefix = "" if "header" in item else "kerror-"
            yield name_in_c(prefix + item["name"]).upper(), item["value"]
        elif item["type"] in ("enum", "flags"):
            for name, entry in family.consts[item["name"]].entries.items():
                yield name_in_c(item["name-prefix"] + name).upper(), entry.user_value()
    for name, message in family.msgs.items():
        prefix = family.yaml["operations"]["name-prefix"]
        yield name_in_c(prefix + name).upper(), message["value"]
    for name, group in family.mcast_groups.items():
        yield "KERROR_GROUP_" + name_in_c(name).upper(), 1 << group.value - 1


def offsets(family):
    """Conditions in C about the structs"""
    for item in family.yaml["definitions"]:
        if item["type"] != "struct":
            continue
        offset, name = 0, name_in_c(item["name"])
        for member in item["members"]:
            size, field = size_of(member, family), name_in_c(member["name"])
            if field == "parts":
                yield f"sizeof(struct {name}) + {size} == KERROR_EVENT_MAX"
                continue
            yield f"offsetof(struct {name}, {field}) == {offset}"
            yield f"sizeof(((struct {name} *)0)->{field}) == {size}"
            offset += size
        yield f"sizeof(struct {name}) == {offset}"


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}")


# By the schema that is beside it
kerror = SpecFamily(SPEC)
found = dict(numbers(kerror))
conditions = [f"{name} == {value}" for name, value in found.items()] + list(offsets(kerror))
with tempfile.TemporaryDirectory() as work:
    with open(tree + "/include/uapi/linux/netlink.h", encoding="utf-8") as file:
        number = re.search(r"^#define NETLINK_KERROR.*", file.read(), re.M)[0]
    with open(work + "/test.c", "w", encoding="utf-8") as file:
        file.write("#include <stddef.h>\n#include <linux/kerror.h>\n#include <linux/evlog.h>\n" +
                   number + "\n" +
                   "".join(f'_Static_assert({text}, "{text}");\n' for text in conditions))
    run("gcc", "-fsyntax-only", "-I", UAPI, work + "/test.c")
    run(sys.executable, "-B", tools + ("/ynl_gen_rst.py" if is_new else "/ynl-gen-rst.py"),
        "-i", SPEC, "-o", work + "/kerror.rst")
    if is_new:
        for part, end in ("--header", "h"), ("--source", "c"):
            run(sys.executable, "-B", tools + "/ynl_gen_c.py", "--mode", "user", part, "--spec",
                SPEC, "-o", f"{work}/kerror-user.{end}")
        run("gcc", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fsyntax-only",
            "-I", UAPI, "-I", ynl + "/lib", work + "/kerror-user.c")

defined = set()
for header in "kerror.h", "evlog.h":
    with open(f"{UAPI}/linux/{header}", encoding="utf-8") as file:
        defined |= set(re.findall(r"^(?:#define |\t)((?:KERROR|EVL)_[A-Z0-9_]+)(?=[\s,])",
                                  file.read(), re.M))
missing = defined - set(found) - WITHOUT
unknown = WITHOUT - defined | WITHOUT & set(found)
if missing or unknown:
    sys.exit(f"ynl-spec: not in kerror.yaml: {sorted(missing)}; of no use: {sorted(unknown)}")
print(f"{len(conditions)} numbers, sizes and offsets are those of the headers")
