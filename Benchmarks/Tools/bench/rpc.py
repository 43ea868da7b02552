# SPDX-License-Identifier: Apache-2.0
"""`Scripts/bench rpc`: Taxon beside its peers, and one JSON object as the last line."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

from . import answers, idle, instructions, load
from .servers import PEERS, SCRATCH, Missing, Peer, free_port, running, swift_build

LOADS = ["unary", "error", "large", "stream", "latency"]
JSON = {
    "unary": "gRPC, HTTP/2", "json-h2": "JSON, HTTP/2", "connect-h2": "Connect proto, HTTP/2",
    "json-h1": "JSON, HTTP/1.1", "connect-h1": "Connect proto, HTTP/1.1",
}
"""The scenarios of the part `json`, and what its rows are called."""
COUNTED = ["unary", "error", "json-h2", "connect-h2", "json-h1", "connect-h1"]
"""The scenarios whose instructions are counted, by the servers that answer them."""
PARTS = [*LOADS, "json", "idle", "client", "instructions"]
TITLES = {
    "unary": "Unary echo, 10 connections × 100 streams",
    "error": "A typed error with details, 10 × 100",
    "large": "Unary echo of 16 KiB, 10 × 10",
    "stream": f"Server streams of {load.MESSAGES} small messages, 10 × 1 (a call is a stream)",
    "latency": "Unary echo, one connection × one stream",
    "json": "Unary echo, gRPC, JSON and Connect: HTTP/2, 10 connections × 100 streams; HTTP/1.1, 100 connections × 1 call",
}
CLIENTS = {"taxon": ("TaxonCalls", "taxon-bench-client"), "grpc-swift-2": ("GRPCSwift", "grpc-swift-client")}


class Bench:
    """One run of the benchmark."""

    def __init__(self, seconds: float, rounds: int, connections: int) -> None:
        self.seconds = seconds
        self.rounds = rounds
        self.connections = connections
        self.figures: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
        self.skipped: list[str] = []
        self.peers: list[Peer] = []

    def build(self, names: list[str]) -> None:
        for peer in PEERS:
            if peer.name not in names:
                continue
            try:
                peer.command(0, "unary")
                self.peers.append(peer)
            except Missing as missing:
                if peer.name == "taxon":
                    raise SystemExit(f"bench: {missing}") from missing
                self.skip(f"{peer.name}: {missing}")
        self.check()

    def skip(self, reason: str) -> None:
        print(f"skipped: {reason}", flush=True)
        self.skipped.append(reason)

    def check(self) -> None:
        """Every server answers a real client rightly: h2load would take any HTTP 200 for an answer."""
        client = swift_build("TaxonCalls") / "taxon-bench-client"
        for peer in self.peers:
            if not peer.is_grpc:
                continue
            port = free_port()
            with running(peer.command(port, "unary"), port):
                checked = subprocess.run([client, str(port), "check"], capture_output=True, text=True, timeout=60)
                if checked.returncode:
                    raise SystemExit(f"bench: {peer.name} answers wrongly: {checked.stdout}{checked.stderr}")
            print(f"checked: {peer.name} answers a real client as the schema says", flush=True)

    def load(self, scenario: str) -> None:
        self.measure(scenario, [(peer.name, peer, scenario) for peer in self.peers if scenario in peer.scenarios])

    def json(self) -> None:
        """One message, in every way in which it can be written."""
        rows = [(f"{peer.name} {JSON[scenario]}", peer, scenario)
                for scenario in JSON for peer in self.peers
                if scenario in peer.scenarios and (scenario != "unary" or peer.name == "taxon")]
        self.measure("json", rows, is_checked=True)

    def measure(self, part: str, rows: list[tuple[str, Peer, str]], is_checked: bool = False) -> None:
        """Rounds in which the rows (name, server, scenario) take turns, so that what else the machine does falls on all."""
        calls: dict[str, int] = {}
        runs: dict[str, list[dict[str, float]]] = defaultdict(list)
        for _ in range(self.rounds):
            for name, peer, scenario in rows:
                port = free_port()
                with running(peer.command(port, scenario), port) as server:
                    if is_checked:
                        answers.check(server, scenario)
                    if name not in calls:
                        calls[name] = load.fitting(server, scenario, self.seconds)
                    # Warms the server up.
                    load.h2load(server, scenario, max(calls[name] // 10, load.SCENARIOS[scenario].connections))
                    run = load.h2load(server, scenario, calls[name])
                    figures = {
                        "cpu_us": run.cpu, "rps": run.rps, "p50_us": run.p50, "p99_us": run.p99,
                        "peak_rss_kib": server.memory("VmHWM"),
                    }
                    if scenario == "stream":
                        figures["cpu_us_per_message"] = run.cpu / load.MESSAGES
                    runs[name].append(figures)
        for name, each in runs.items():
            self.figures[part][name] = {key: statistics.median(run[key] for run in each) for key in each[0]}
        self.table(part)

    def table(self, part: str) -> None:
        stream = part == "stream"
        width = max(14, *(len(name) + 1 for name in self.figures[part])) if self.figures[part] else 14
        print(f"\n{TITLES[part]}")
        print(f"{'':{width}}{'CPU µs/call':>12}{'calls/s':>11}{'p50 ms':>10}{'p99 ms':>10}{'peak MiB':>10}"
              f"{'µs/message' if stream else '':>12}")
        for name, run in self.figures[part].items():
            print(f"{name:{width}}{run['cpu_us']:12.2f}{run['rps']:11,.0f}{run['p50_us'] / 1e3:10.3f}"
                  f"{run['p99_us'] / 1e3:10.3f}{run['peak_rss_kib'] / 1024:10.1f}"
                  + (f"{run['cpu_us_per_message']:12.3f}" if stream else ""), flush=True)

    def idle(self) -> None:
        """10,000 connections that do nothing."""
        limit = idle.allow_descriptors(self.connections + 200)
        count = min(self.connections, limit - 200)
        if count < self.connections:
            left_out = self.connections - count
            self.skip(f"{left_out:,} of {self.connections:,} idle connections: the limit of open files is {limit}")
        print(f"\n{count:,} idle connections")
        for peer in self.peers:
            if "unary" not in peer.scenarios:
                continue
            port = free_port()
            with running(peer.command(port, "unary"), port) as server:
                each = idle.memory(server, count)
                self.figures["idle"][peer.name] = {"connections": count, "kib_per_connection": each}
                print(f"{peer.name:14}{each:8.1f} KiB a connection", flush=True)

    def clients(self) -> None:
        """What a call costs the caller, 100 at a time, on Taxon's server."""
        taxon = next((peer for peer in self.peers if peer.name == "taxon"), None)
        names = [peer.name for peer in self.peers if peer.name in CLIENTS]
        if not taxon:
            return self.skip("client: it calls Taxon's server, which is left out")
        runs: dict[str, list[dict[str, float]]] = defaultdict(list)
        for _ in range(self.rounds):
            for name in names:
                package, product = CLIENTS[name]
                executable = swift_build(package) / product
                port = free_port()
                with running(taxon.command(port, "unary"), port):
                    calls = int((40_000 if name == "taxon" else 8_000) * self.seconds)
                    runs[name].append(json.loads(load.client(executable, port, calls, 100)))
        print("\nClient, 100 calls in flight, on Taxon's server")
        for name, each in runs.items():
            median = {key: statistics.median(run[key] for run in each) for key in each[0]}
            self.figures["client"][name] = median
            print(f"{name:14}{median['cpu_us']:12.2f} CPU µs/call{median['rps']:11,.0f} calls/s", flush=True)

    def instructions(self) -> None:
        """User-space instructions a call, which repeat within 1 %."""
        if not shutil.which("valgrind"):
            return self.skip("instructions: valgrind is not installed")
        print("\nUser-space instructions a call (callgrind, the difference of n and 2n calls)")
        for peer in self.peers:
            for scenario in [one for one in COUNTED if one in peer.scenarios]:
                count = instructions.count(peer, scenario)
                self.figures.setdefault("instructions", {}).setdefault(peer.name, {})[scenario] = count
                print(f"{peer.name:14}{scenario:12}{count:12,.0f}", flush=True)

    def result(self) -> dict[str, Any]:
        """The figures with the ratios that the acceptance is about."""
        ratios: dict[str, float] = {}

        def ratio(name: str, part: str, above: str, below: str, key: str, other: str | None = None) -> None:
            try:
                ratios[name] = round(self.figures[part][above][key] / self.figures[other or part][below][key], 3)
            except (KeyError, ZeroDivisionError):
                pass

        for peer in ("nghttpd", "grpc-c++", "grpc-swift-2"):
            ratio(f"unary cpu, taxon / {peer}", "unary", "taxon", peer, "cpu_us")
            ratio(f"instructions, taxon / {peer}", "instructions", "taxon", peer, "unary")
        ratio("cpu, error / unary", "error", "taxon", "taxon", "cpu_us", "unary")
        ratio("stream cpu, taxon / grpc-swift-2", "stream", "taxon", "grpc-swift-2", "cpu_us")
        ratio("client cpu, taxon / grpc-swift-2", "client", "taxon", "grpc-swift-2", "cpu_us")
        json_h1, json_h2, grpc = (f"taxon {JSON[scenario]}" for scenario in ("json-h1", "json-h2", "unary"))
        ratio("json cpu on HTTP/1.1, taxon / hummingbird", "json", json_h1, f"hummingbird {JSON['json-h1']}", "cpu_us")
        ratio("json cpu on HTTP/2, taxon, json / gRPC", "json", json_h2, grpc, "cpu_us")
        ratio("json instructions on HTTP/1.1, taxon / hummingbird", "instructions", "taxon", "hummingbird", "json-h1")
        if counts := self.figures.get("instructions", {}).get("taxon"):
            ratios["instructions, error / unary"] = round(counts["error"] / counts["unary"], 3)
            ratios["instructions, json on HTTP/2 / unary"] = round(counts["json-h2"] / counts["unary"], 3)
        return {"figures": rounded(self.figures), "ratios": ratios, "skipped": self.skipped}


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def run(parts: list[str], peers: list[str], seconds: float, rounds: int, connections: int) -> None:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    bench = Bench(seconds, rounds, connections)
    bench.build(peers)
    for part in parts:
        if part in LOADS:
            bench.load(part)
        else:
            {"json": bench.json, "idle": bench.idle, "client": bench.clients, "instructions": bench.instructions}[part]()
    for part in PARTS:
        if part not in parts:
            bench.skip(f"{part}: not asked for")
    result = bench.result()
    print("\nratios")
    for name, value in result["ratios"].items():
        print(f"{value:8.3f}  {name}")
    print(json.dumps(result))
