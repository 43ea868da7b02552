// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSchema
import Testing

@testable import TaxonSwift

/// Schemas of other targets: whose types they are, how those are called, who may name them, and what is said where that
/// does not work out.
@Suite struct SharingTests {
  private static let errors = """
    syntax = "proto3";
    package platform;
    import "taxon/taxonomy.proto";
    option (taxon.taxonomy) = { domain: "platform.example.com" };
    message Denied { option (taxon.error) = { status: PERMISSION_DENIED }; }
    """
  private static let service = """
    syntax = "proto3";
    package app;
    import "platform/errors.proto";
    import "taxon/taxonomy.proto";
    message M {}
    service S { rpc Get(M) returns (M) { option (taxon.raises).errors = "platform.Denied"; } }
    """

  /// What is said of the schemas of App, with `ROOT` for the folder that has those of all targets, and the code.
  private struct Outcome {
    var lines: [String] = []
    var code: [String: String]?
  }

  /// Generates the code of target App, which depends on all others but those in `outside`.
  private func generate(
    _ files: [String: String], outside: [String] = [], siblings: [String] = [], parameter: String = ""
  ) throws -> Outcome {
    let root = FileManager.default.temporaryDirectory.appending(path: "taxon-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (name, text) in files {
      let file = root.appending(path: name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let modules = Set(files.keys.compactMap { $0.split(separator: "/").first.map(String.init) }).subtracting(["App"])
    let targets = modules.sorted().map { module in
      SharingTarget(
        module: module, folder: root.appending(path: module).path, isInPackage: siblings.contains(module),
        mend: outside.contains(module) ? "add \"\(module)\"" : nil)
    }
    var settings = try GeneratorSettings(parameter: "self=App,\(parameter)")
    let sharing = try SharingTargets(targets, preferred: Set(settings.modules.values))
    settings.shared = sharing.shared
    settings.modulesAreKnown = .plugin
    let search = ProtocSearch(environment: ProcessInfo.processInfo.environment) {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    let own = root.appending(path: "App").path
    var protoc = Protoc(
      executable: try search.find(), folders: [own, TestSchema.root.appending(path: "Protos").path] + sharing.folders,
      folderSetting: "importPaths")
    protoc.explain = { sharing.explain($0, for: "App") }
    let schemas = files.keys.filter { $0.hasPrefix("App/") && $0.hasSuffix(".proto") }.sorted()
    var outcome = Outcome()
    let paths = schemas.map { root.appending(path: $0).path }
    let generated = try protoc.generate(paths, settings, importable: { sharing.importable }) { line in
      outcome.lines.append(line.replacing(root.standardizedFileURL.path, with: "ROOT"))
    }
    outcome.code = generated.map {
      Dictionary($0.map { ($0.name, $0.content) }, uniquingKeysWith: { first, _ in first })
    }
    return outcome
  }

  // MARK: What works by itself

  @Test func aTargetThatHasMessagesAloneImportsNoMore() throws {
    let outcome = try generate(
      [
        "App/s.proto": """
        syntax = "proto3";
        import "google/protobuf/timestamp.proto";
        message M { google.protobuf.Timestamp at = 1; }
        """
      ], parameter: "imports=TaxonProtobuf")
    try expect(outcome.lines, [])
    let swift = try #require(outcome.code?["s.pb.swift"])
    #expect(swift.contains("\nimport TaxonProtobuf\n") && !swift.contains("import Taxon\n"))
  }

  @Test func servicesErrorsAndTheirTypesNeedMoreThanMessages() throws {
    let outcome = try generate(
      [
        "App/s.proto": """
        syntax = "proto3";
        import "google/rpc/status.proto";
        import "taxon/taxonomy.proto";
        option (taxon.taxonomy) = { domain: "app.example.com" };
        message M { google.rpc.Status status = 1; }
        message Denied { option (taxon.error) = { status: PERMISSION_DENIED message: "No" }; }
        service S { rpc Get(M) returns (M); }
        """
      ], parameter: "imports=TaxonProtobuf")
    let mend =
      "need the product Taxon, and the target depends on TaxonProtobuf alone; add .product(name: \"Taxon\", package: "
      + "\"taxon\") to its dependencies"
    try expect(
      outcome.lines,
      [
        "ROOT/App/s.proto:2:8: error: the types of \"google/rpc/status.proto\" \(mend)",
        "ROOT/App/s.proto:6:9: error: errors \(mend)", "ROOT/App/s.proto:7:9: error: services \(mend)",
      ])
  }

  @Test func theModuleOfAnImportIsThatOfTheTargetThatHasTheSchema() throws {
    let outcome = try generate([
      "App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors,
      "Platform/taxon.json": #"{"access": "public", "prefixes": {"platform": ""}}"#,
    ])
    try expect(outcome.lines, [])
    let swift = try #require(outcome.code?["s.pb.swift"])
    #expect(swift.contains("\nimport Platform\nimport Taxon\n"))
    #expect(swift.contains("case denied(Denied)\n"))
    #expect(swift.contains("dependencies: [.platformErrors, .taxonTaxonomy],"))
  }

  @Test func aTypeWithANameOfTaxonsOrOfTheStandardLibraryIsToldFromIt() throws {
    let outcome = try generate([
      "App/s.proto": """
      syntax = "proto3";
      import "names.proto";
      option swift_prefix = "";
      message M { Metadata metadata = 1; repeated Duration durations = 2; string text = 3; Plain plain = 4; }
      """,
      "Platform/names.proto": """
      syntax = "proto3";
      option swift_prefix = "";
      message Metadata {} message Field {} message Duration {} message String {} message Plain {}
      """,
      "Platform/taxon.json": #"{"access": "public"}"#,
    ])
    try expect(outcome.lines, [])
    let swift = try #require(outcome.code?["s.pb.swift"])
    #expect(swift.contains("var metadata: Platform.Metadata?"))
    #expect(swift.contains("var text: Swift.String"))
    #expect(swift.contains("Taxon.Field(\"text\", 3"))
    // The standard library's gives way by itself.
    #expect(swift.contains("var durations: [Duration]") && swift.contains("var plain: Plain?"))
  }

  @Test func aMistakeInTheSettingsOfATargetThatNobodyDependsOnIsItsOwn() throws {
    let files = [
      "App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors,
      "Platform/taxon.json": #"{"access": "public"}"#, "Draft/draft.proto": "syntax = \"proto3\";",
      "Draft/taxon.json": #"{"access": "open"}"#,
    ]
    try expect(try generate(files, outside: ["Draft"]).lines, [])
    #expect(throws: SettingsFile.Mistake.self) { try generate(files) }
  }

  @Test func theSettingsOfTheOtherTargetSayWhereItsSchemasAre() throws {
    let outcome = try generate(
      [
        "App/s.proto": Self.service, "Platform/Protos/platform/errors.proto": Self.errors,
        "Platform/Protos/other.proto": "syntax = \"proto3\";",
        "Platform/taxon.json": #"{"access": "package", "protoPath": "Protos", "include": ["platform/"]}"#,
      ], siblings: ["Platform"])
    try expect(outcome.lines, [])
    #expect(outcome.code?["s.pb.swift"]?.contains("case denied(Platform_Denied)\n") == true)
  }

  @Test func publicCodeImportsPubliclyWhatItsDeclarationsName() throws {
    let outcome = try generate(
      [
        "App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors,
        "Platform/taxon.json": #"{"access": "public"}"#,
      ],
      parameter: "access=public")
    try expect(outcome.lines, [])
    #expect(outcome.code?["s.pb.swift"]?.contains("\npublic import Platform\npublic import Taxon\n") == true)
  }

  @Test func whatIsNamedExplicitlyCountsMore() throws {
    let outcome = try generate(
      ["App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors],
      parameter: "module=platform/errors.proto:Elsewhere,prefix=platform:P")
    try expect(outcome.lines, [])
    let swift = try #require(outcome.code?["s.pb.swift"])
    #expect(swift.contains("\nimport Elsewhere\nimport Taxon\n"))
    #expect(swift.contains("case denied(PDenied)\n"))
  }

  @Test func namesThatTwoModulesHaveAreQualified() throws {
    let outcome = try generate([
      "App/s.proto": """
      syntax = "proto3";
      import "a.proto";
      import "b.proto";
      message M { a.N a = 1; b.N b = 2; b.O o = 3; }
      """,
      "A/a.proto": "syntax = \"proto3\"; package a; option swift_prefix = \"\"; message N {}",
      "A/taxon.json": #"{"access": "public"}"#,
      "B/b.proto": "syntax = \"proto3\"; package b; option swift_prefix = \"\"; message N {} message O {}",
      "B/taxon.json": #"{"access": "public"}"#,
    ])
    try expect(outcome.lines, [])
    let swift = try #require(outcome.code?["s.pb.swift"])
    for type in ["A.N?", "B.N?", "var o: O?"] { #expect(swift.contains(type)) }
  }

  @Test func anInternalFileWhoseTypesNobodyNamesIsNoMistake() throws {
    let outcome = try generate([
      "App/s.proto": """
      syntax = "proto3";
      import "options.proto";
      message M { string a = 1 [(options.note) = "x"]; }
      service S { rpc Get(M) returns (M); }
      """,
      "Platform/options.proto": """
      syntax = "proto3"; package options; import "google/protobuf/descriptor.proto";
      extend google.protobuf.FieldOptions { string note = 50000; }
      """,
    ])
    try expect(outcome.lines, [])
    let swift = try #require(outcome.code?["s.pb.swift"])
    #expect(!swift.contains("import Platform"))
    #expect(swift.contains("fileprivate static let options = ProtoFileDescriptor("))
  }

  @Test func aDescriptorThatTheOtherTargetLeavesOutIsCopied() throws {
    let outcome = try generate([
      "App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors,
      "Platform/taxon.json": #"{"access": "public", "descriptors": false}"#,
    ])
    try expect(outcome.lines, [])
    #expect(outcome.code?["s.pb.swift"]?.contains("fileprivate static let platformErrors") == true)
  }

  @Test(arguments: ["file_raises", "service_raises"])
  func anImportThatARaisesWithoutMethodsNeedsIsNotUnused(option: String) throws {
    let text = "option (taxon.\(option)).errors = \"platform.Denied\";"
    let outcome = try generate([
      "App/s.proto": """
      syntax = "proto3";
      import "all.proto";
      import "taxon/taxonomy.proto";
      \(option == "file_raises" ? text : "") service S { \(option == "file_raises" ? "" : text) }
      """,
      "Platform/all.proto": "syntax = \"proto3\"; import \"errors.proto\";", "Platform/errors.proto": Self.errors,
      "Platform/taxon.json": #"{"access": "public"}"#,
    ])
    try expect(outcome.lines, [])
  }

  // MARK: Mistakes

  @Test func internalTypesOfAnotherTargetAreOutOfReach() throws {
    let outcome = try generate(["App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors])
    try expect(
      outcome.lines,
      [
        """
        ROOT/App/s.proto:3:8: error: the generated code needs the types of "platform/errors.proto", which are internal in \
        Platform; say "access": "public" in ROOT/Platform/taxon.json
        """
      ])
  }

  @Test func typesOfAPackageAreOutOfReachForOthersAndForPublicCode() throws {
    let files = [
      "App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors,
      "Platform/taxon.json": #"{"access": "package"}"#,
    ]
    try expect(
      generate(files).lines,
      [
        """
        ROOT/App/s.proto:3:8: error: the generated code needs the types of "platform/errors.proto", which are package in \
        Platform; say "access": "public" in ROOT/Platform/taxon.json
        """
      ])
    try expect(
      generate(files, siblings: ["Platform"], parameter: "access=public").lines,
      [
        """
        ROOT/App/s.proto:3:8: error: the generated code is public and needs the types of "platform/errors.proto", which are \
        package in Platform; say "access": "public" in ROOT/Platform/taxon.json, or "access": "package" for this target
        """
      ])
  }

  @Test func aSchemaThatNoTargetGeneratesHasNoTypes() throws {
    let outcome = try generate([
      "App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors,
      "Platform/taxon.json": #"{"access": "public", "include": ["other/"]}"#,
    ])
    try expect(
      outcome.lines,
      [
        """
        ROOT/App/s.proto:3:8: error: the generated code needs the types of "platform/errors.proto", and no target that this \
        one depends on generates them; generate the schema with TaxonPlugin in one of them, or name the module that has \
        them with "modules" in taxon.json
        """
      ])
  }

  @Test func aTargetThatIsNotDependedOnIsNamed() throws {
    let outcome = try generate(
      ["App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors], outside: ["Platform"])
    try expect(
      outcome.lines,
      [
        """
        ROOT/App/s.proto:3:1: error: import "platform/errors.proto" is a schema of target Platform, which App does not \
        depend on; add "Platform"
        """
      ])
  }

  @Test func anImportByAnotherPathIsSetRight() throws {
    let outcome = try generate([
      "App/s.proto": Self.service.replacing("platform/errors", with: "errors"),
      "Platform/platform/errors.proto": Self.errors,
    ])
    try expect(
      outcome.lines,
      [#"ROOT/App/s.proto:3:1: error: import "errors.proto" is not there; did you mean "platform/errors.proto"?"#])
  }

  @Test func aSchemaOfTwoTargetsIsNoneOfThem() throws {
    let outcome = try generate([
      "App/s.proto": Self.service, "A/platform/errors.proto": Self.errors, "B/platform/errors.proto": Self.errors,
    ])
    try expect(
      outcome.lines,
      [
        """
        ROOT/App/s.proto:3:8: error: "platform/errors.proto" is a schema of A (ROOT/A/platform/errors.proto) and B \
        (ROOT/B/platform/errors.proto); rename one of them, depend on one of these targets alone, or say which with \
        "modules" in taxon.json
        """
      ])
    let mended = try generate(
      [
        "App/s.proto": Self.service, "A/platform/errors.proto": Self.errors,
        "B/platform/errors.proto": Self.errors.replacing("Denied", with: "Other"),
      ], parameter: "module=platform/errors.proto:B")
    // It is B's file that is read.
    #expect(mended.lines.count == 1 && mended.lines[0].contains("raises names \"platform.Denied\""))
  }

  @Test(arguments: [
    (
      "platform.Denied",
      #"raises names "platform.Denied", which is in a file that is not imported; write import "platform/errors.proto";"#
    ),
    (
      "platform.Deneid",
      """
      raises names "platform.Deneid", and there is no such error or category; did you mean "platform.Denied"? Then write \
      import "platform/errors.proto"; too
      """
    ),
  ])
  func anErrorOfAFileThatIsNotImportedIsFound(name: String, said: String) throws {
    let outcome = try generate([
      "App/s.proto": Self.service.replacing("import \"platform/errors.proto\";", with: "")
        .replacing("platform.Denied", with: name),
      "Platform/platform/errors.proto": Self.errors,
    ])
    try expect(outcome.lines, ["ROOT/App/s.proto:6:69: error: \(said)"])
  }

  @Test func aMistakeInAnotherFileHidesNoError() throws {
    let outcome = try generate([
      "App/s.proto": Self.service.replacing("import \"platform/errors.proto\";", with: ""),
      "Platform/platform/errors.proto": Self.errors,
      "Platform/broken.proto": "syntax = \"proto3\"; // taxon.error\nmessage {",
    ])
    try expect(
      outcome.lines,
      [
        "ROOT/App/s.proto:6:69: error: raises names \"platform.Denied\", which is in a file that is not imported; "
          + "write import \"platform/errors.proto\";"
      ])
  }

  @Test func codesOfADomainAreComparedAcrossModules() throws {
    let other = Self.errors.replacing("package platform", with: "package other")
    let errors = ["A/a.proto": Self.errors, "B/b.proto": other]
    let outcome = try generate(
      errors.merging(["App/s.proto": "syntax = \"proto3\";\nimport \"a.proto\";\nimport \"b.proto\";\n"]) { $1 })
    try expect(
      outcome.lines.filter { $0.contains("error:") },
      [
        """
        ROOT/App/s.proto:3:8: error: b.proto and a.proto both use code "DENIED" of platform.example.com: other.Denied at \
        ROOT/B/b.proto:5:9, platform.Denied at ROOT/A/a.proto:5:9; one of them has to have another code
        """
      ])
    let own = try generate(["App/s.proto": other + "\nimport \"a.proto\";", "A/a.proto": Self.errors])
    try expect(
      own.lines.filter { $0.contains("error:") },
      [
        """
        ROOT/App/s.proto:5:9: error: code, made from the name Denied, "DENIED" is taken in platform.example.com by \
        platform.Denied at ROOT/A/a.proto:5:9; choose another code
        """
      ])
  }

  @Test func aMistakeInTheSettingsOfAnotherTargetHasItsPlace() throws {
    #expect(throws: SettingsFile.Mistake.self) {
      try generate([
        "App/s.proto": Self.service, "Platform/platform/errors.proto": Self.errors,
        "Platform/taxon.json": #"{"protoPath": 1}"#,
      ])
    }
  }
}
