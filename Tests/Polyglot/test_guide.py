# SPDX-License-Identifier: Apache-2.0
"""The guide, true to the letter: what its pages show is built as one package, run, and compared with what they say it prints.

A page is one function. Its Swift blocks stand in it one behind the other; `<!-- top -->` puts the next one outside of the
function, `<!-- file: NAME -->` makes a file of it, and `<!-- run -->` has a shell run it before. What stands behind
`<!-- refused: TEXT -->` does not compile, and TEXT is in what the compiler says. Invisible to readers are
`<!-- setup … -->` (lines of the function) and `<!-- declare … -->` (outside of it). Each `text` block is printed by its page, as it
stands.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import PACKAGES, ROOT, executable, swift

PAGES = {page.stem: page.read_text() for page in sorted((ROOT / "Documentation" / "Guide").glob("*.md"))}
SWIFT_PAGES = [name for name, text in PAGES.items() if "```swift" in text]
PIECE = re.compile(r"(?:<!-- (?P<mark>top|run|file: (?P<file>\S+)|refused: (?P<message>[^\n]+)) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```\n|"
                   r"<!-- (?P<hidden>setup|declare)\n(?P<lines>.*?)-->", re.S)  # fmt: skip

PACKAGE = """// swift-tools-version: 6.2
import PackageDescription

let taxon: Target.Dependency = .product(name: "Taxon", package: "taxon")
let testing: Target.Dependency = .product(name: "TaxonTesting", package: "taxon")
let plugins: [Target.PluginUsage] = [.plugin(name: "TaxonPlugin", package: "taxon")]
let package = Package(
  name: "guide",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "taxon", path: "../taxon"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    .target(name: "Platform", dependencies: [taxon], plugins: plugins),
    .target(name: "StockAPI", dependencies: [taxon, "Platform"], plugins: plugins),
    .executableTarget(
      name: "Guide",
      dependencies: [
        taxon, testing, "Platform", "StockAPI", .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      plugins: plugins),
    .testTarget(name: "GuideTests", dependencies: ["Guide", taxon, testing]),
  ]
)
"""


def refused() -> tuple[str, list[str]]:
    """A file of functions that do not compile, and what the compiler says of them."""
    functions, messages = ["import Taxon"], []
    for name in SWIFT_PAGES:
        setup = ""
        for piece in PIECE.finditer(PAGES[name]):
            if piece["hidden"] == "setup":
                setup += piece["lines"]
            elif piece["message"]:
                messages.append(piece["message"])
                functions.append(f"@MainActor func refused{len(messages)}() async throws {{\n{setup}{piece['text']}}}\n")
    return "\n".join(functions), messages


def sources() -> tuple[dict[str, str], str]:
    """The package's files by their names, and what the shell runs before."""
    files = {"Package.swift": PACKAGE}
    script = ""
    for module in ("Platform", "StockAPI"):
        files[f"Sources/{module}/{module}.swift"] = f"// {module}\n"
    for name in SWIFT_PAGES:
        top, body = [], []
        for piece in PIECE.finditer(PAGES[name]):
            if piece["hidden"]:
                (body if piece["hidden"] == "setup" else top).append(piece["lines"])
            elif piece["file"]:
                files[piece["file"]] = piece["text"]
            elif piece["message"]:
                continue
            elif piece["mark"] == "run":
                script += piece["text"]
            elif piece["language"] == "swift":
                (top if piece["mark"] == "top" else body).append(piece["text"])
            else:
                assert piece["language"] == "text", f"{name}: a block of {piece['language']} that nobody runs"
        joined = "\n".join(body)
        files[f"Sources/Guide/{name}.swift"] = (
            "import Logging\nimport Taxon\n\n" + "\n".join(top) + f"\n@MainActor func page{name}() async throws {{\n{joined}}}\n"
        )
    calls = "\n".join(f'print("== {name}")\ntry await page{name}()' for name in SWIFT_PAGES)
    files["Sources/Guide/main.swift"] = calls + "\n"
    return files, script


@pytest.fixture(scope="module")
def package(copy: Path) -> Path:
    """The package's folder, with what the shell makes."""
    folder = PACKAGES / "guide"
    files, script = sources()
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
    for file in [*(folder / "Sources").rglob("*"), *(folder / "Tests").rglob("*")]:
        if file.is_file() and str(file.relative_to(folder)) not in files:
            file.unlink()
    if not (folder / ".build").is_symlink():
        (folder / ".build").symlink_to(PACKAGES / "build")
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def printed(package: Path) -> dict[str, str]:
    """What each page printed."""
    swift("build", "--product", "Guide", package=package)
    program = PACKAGES / "build" / "debug" / "Guide"
    result = subprocess.run(
        [program], cwd=package, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr[-4000:]
    return dict(re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", result.stdout, re.S | re.M))


@pytest.mark.slow
@pytest.mark.parametrize("page", SWIFT_PAGES)
def test_a_page_prints_what_it_says(printed: dict[str, str], page: str) -> None:
    text = printed[page]
    for expected in re.findall(r"```text\n(.*?)```", PAGES[page], re.S):
        assert expected in text, text


@pytest.mark.slow
def test_the_tests_that_it_shows_pass(package: Path) -> None:
    result = swift("test", "--disable-xctest", "--disable-build-manifest-caching", package=package, check=False)
    assert result.returncode == 0, result.stdout[-4000:]
    assert "BOOK_ON_LOAN" in result.stdout, "a case is named by its code"


@pytest.mark.slow
def test_what_should_not_compile_does_not(package: Path) -> None:
    file = package / "Sources" / "Guide" / "Refused.swift"
    text, messages = refused()
    file.write_text(text)
    try:
        said = swift("build", "--product", "Guide", package=package, check=False)
    finally:
        file.unlink()
        # SwiftPM would go on with its plan, which has the file.
        (package / "Package.swift").touch()
    assert said.returncode
    for message in messages:
        assert message in said.stdout, said.stdout[-8000:]
    # Nothing else is wrong.
    assert len(set(re.findall(r"^\S+:\d+:\d+: error: ", said.stdout, re.M))) == len(messages), said.stdout[-8000:]


def test_the_version_is_the_same_everywhere() -> None:
    command = (ROOT / "Sources" / "TaxonCommand" / "TaxonCommand.swift").read_text()
    version = re.search(r'version: "([^"]+)"', command)
    newest = re.search(r"^## (\S+)", (ROOT / "Documentation" / "Changelog.md").read_text(), re.M)
    depended = re.search(r'from: "([^"]+)"', (ROOT / "README.md").read_text())
    assert version and newest and depended and version[1] == newest[1] == depended[1]
    said = subprocess.run([executable("taxon"), "--version"], stdout=subprocess.PIPE, text=True, check=True)
    assert said.stdout.strip() == version[1]


def test_docc_takes_the_pages_without_a_warning(tmp_path: Path) -> None:
    """Links between them, above all; the module stands there without its symbols."""
    docc = shutil.which("docc") or str(Path(shutil.which("swift") or "").resolve().parent / "docc")
    module = {"name": "Taxon", "platform": {"architecture": "x86_64", "vendor": "unknown", "operatingSystem": {"name": "linux"}}}
    version = {"formatVersion": {"major": 0, "minor": 6, "patch": 0}, "generator": "test"}
    graph = {"metadata": version, "module": module, "symbols": [], "relationships": []}
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "Taxon.symbols.json").write_text(json.dumps(graph))
    said = subprocess.run(
        [docc, "convert", ROOT / "Sources" / "Taxon" / "Taxon.docc", "--additional-symbol-graph-dir", tmp_path / "graphs",
         "--output-path", tmp_path / "archive", "--fallback-display-name", "Taxon", "--fallback-bundle-identifier", "taxon",
         "--warnings-as-errors"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout
    assert all((tmp_path / "archive" / "data" / "documentation" / "taxon" / f"{name.lower()}.json").exists()
               for name in PAGES if name != "README"), list((tmp_path / "archive").rglob("*.json"))  # fmt: skip


def test_links_lead_somewhere() -> None:
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (ROOT / "Documentation" / "Guide" / target).resolve().exists(), f"{name}: {target}"


def test_the_list_of_pages_is_whole() -> None:
    for name in PAGES:
        assert name == "README" or f"({name}.md)" in PAGES["README"], name
