# SPDX-License-Identifier: Apache-2.0
"""`Scripts/bench compile`: what the compiler takes for generated messages, beside SwiftProtobuf's, and their lines; and for a
program of one method with all that it needs, beside grpc-swift-2's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .servers import BENCHMARKS, ROOT, Missing, swift_build

MODES = {"debug": "-Onone", "release": "-O"}
# What the compiler may take before it is stopped, so that it does not take the machine along.
GREATEST_MEMORY = 8 << 30


def schema(count: int, is_chain: bool) -> str:
    """Messages of nine fields, each with one message by value: the first one, or in a chain the one before."""
    text = ['syntax = "proto3";', "package many.v1;", "enum State { STATE_UNSPECIFIED = 0; STATE_DONE = 1; }"]
    for number in range(count):
        owner = f"Record{number - 1 if is_chain else 0} owner = 5; repeated Record{number - 1} parts = 6;"
        text.append(
            f"message Record{number} {{ string id = 1; int64 created_ms = 2; State state = 3; repeated string tags = 4;"
            f" {owner if number else ''} repeated int32 scores = 7; bool is_urgent = 8; optional double progress = 9; }}")
    return "\n".join(text) + "\n"


# Name, package, product, and what the build's environment has: Taxon with all traits, as a dependency without `traits` has it.
PROGRAMS = [
    ("Taxon, traits: []", "TaxonCalls", "taxon-bench-hello", {}),
    ("Taxon", "TaxonCalls", "taxon-bench-hello", {"TAXON_TRAITS": "default"}),
    ("grpc-swift-2", "GRPCSwift", "grpc-swift-hello", {}),
]


def lines(folder: Path) -> int:
    return sum(len(file.read_text().splitlines()) for file in folder.rglob("*.swift"))


def memory(group: int) -> int:
    """Bytes that the processes of a group have in memory."""
    pages = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                pages += int((process / "statm").read_text().split()[1])
        except (OSError, ValueError):
            continue  # It has ended meanwhile.
    return pages * os.sysconf("SC_PAGE_SIZE")


def compiled(folder: Path, mode: str, modules: Path) -> dict[str, float]:
    """Seconds of CPU time and megabytes at the most that compiling the folder's files takes."""
    files = [str(file) for file in folder.rglob("*.swift")]
    modulemap = ROOT / "Sources" / "CProtobufC" / "module.modulemap"
    command = ["swiftc", "-parse-as-library", "-swift-version", "6", "-wmo", mode, "-module-name", "Many", "-I",
               str(modules), "-Xcc", f"-fmodule-map-file={modulemap}", "-c", *files, "-o", str(folder / "many.o")]
    with tempfile.TemporaryFile() as output:
        compiler = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        while True:
            ended, status, usage = os.wait4(compiler.pid, os.WNOHANG)
            if ended:
                break
            if memory(compiler.pid) > GREATEST_MEMORY:
                os.killpg(compiler.pid, signal.SIGKILL)
                os.wait4(compiler.pid, 0)
                raise SystemExit(f"bench: the compiler takes more than {GREATEST_MEMORY >> 30} GB for {folder.name}")
            time.sleep(0.05)
        compiler.returncode = os.waitstatus_to_exitcode(status)
        if compiler.returncode:
            output.seek(0)
            raise SystemExit(f"bench: {output.read().decode(errors='replace')[-4000:]}")
    return {"seconds": round(usage.ru_utime + usage.ru_stime, 1), "megabytes": usage.ru_maxrss // 1024}


def generated(protos: Path, names: list[str], folder: Path, option: str, plugin: Path) -> Path:
    """The folder, with what a plugin makes of schemas, which are named as they lie in `protos`."""
    folder.mkdir()
    kind = plugin.name.removeprefix("protoc-gen-")
    subprocess.run(["protoc", "-I", str(protos), f"--plugin={plugin}", f"--{kind}_out={folder}",
                    f"--{kind}_opt={option}", *names], check=True)
    return folder


def built(package: str, product: str, more: dict[str, str]) -> float:
    """Seconds of CPU time of a first build for debugging: packages are there, and nothing of them is built."""
    with tempfile.TemporaryDirectory() as scratch:
        options = ["--package-path", str(BENCHMARKS / package), "--scratch-path", scratch]
        environment = os.environ | more
        subprocess.run(["swift", "package", *options, "resolve"], check=True, env=environment, stderr=subprocess.DEVNULL)
        before = os.times()
        built = subprocess.run(
            ["swift", "build", *options, "--product", product], env=environment, capture_output=True, text=True)
        after = os.times()
        if built.returncode:
            raise SystemExit(f"bench: {package} does not build:\n{(built.stdout + built.stderr)[-4000:]}")
        return round(after.children_user + after.children_system - before.children_user - before.children_system, 1)


def programs() -> dict[str, float]:
    print("\na program of one method, built anew")
    figures = {}
    for name, package, product, environment in PROGRAMS:
        figures[name] = built(package, product, environment)
        print(f"{name:30}{figures[name]:10.0f} s", flush=True)
    return figures


def run(count: int) -> None:
    try:
        binaries = swift_build("Protobuf", "protobuf-bench", "protoc-gen-taxon", "protoc-gen-swift")
    except Missing as missing:
        raise SystemExit(f"bench: {missing}") from missing
    sides = {"taxon": (binaries / "protoc-gen-taxon", "access=public,imports=TaxonProtobuf"),
             "peer": (binaries / "protoc-gen-swift", "Visibility=Public")}
    figures: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as scratch:
        print(f"\n{count} messages of nine fields{'lines':>18}" + "".join(
            f"{mode + ' s':>12}{'MB':>8}" for mode in MODES))
        for name in ("flat", "chain"):
            (Path(scratch) / f"{name}.proto").write_text(schema(count, name == "chain"))
            for side, (plugin, option) in sides.items():
                folder = generated(Path(scratch), [f"{name}.proto"], Path(scratch) / f"{name}-{side}", option, plugin)
                row = {"lines": lines(folder)} | {
                    mode: compiled(folder, flag, binaries / "Modules") for mode, flag in MODES.items()}
                figures.setdefault(name, {})[side] = row
                print(f"{name + ', ' + side:30}{row['lines']:14,}" + "".join(
                    f"{row[mode]['seconds']:12}{row[mode]['megabytes']:8,}" for mode in MODES), flush=True)
        protos = ROOT / "Protos"
        names = [str(file.relative_to(protos)) for file in sorted((protos / "octollm").rglob("*.proto"))]
        octollm = generated(protos, names, Path(scratch) / "octollm", "access=public", sides["taxon"][0])
        figures["octollm"] = {"lines": lines(octollm)}
        print(f"\noctollm/v1: {figures['octollm']['lines']:,} lines are generated")
    figures["programs"] = programs()
    print(json.dumps(figures))
