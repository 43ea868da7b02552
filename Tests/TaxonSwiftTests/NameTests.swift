// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import TaxonSwift
import Testing

/// Swift names, and what is said of those that clash.
@Suite struct NameTests {
  @Test func fieldsDoNotShareAName() throws {
    let schema = TestSchema.proto2(
      """
      message M {
        optional string foo_1 = 1;
        optional string foo1 = 2;
        oneof foo__1 { string x = 3; }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:5:19: note: field "foo1" is foo1_2 in Swift, because \
        field "foo_1" at t.proto:4:19 is foo1
        """,
        """
        t.proto:6:9: note: oneof "foo__1" is foo1OneOf in Swift, because \
        field "foo_1" at t.proto:4:19 is foo1
        """,
      ])
  }

  @Test func membersOfAOneofDoNotShareAName() throws {
    let schema = TestSchema.proto2("message M { oneof kind { string a_b = 1; string aB = 2; } }")
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:3:49: note: field "aB" is aB_2 in Swift, because field "a_b" at t.proto:3:33 is aB
        """
      ])
  }

  @Test func valuesDoNotShareAName() throws {
    let schema = TestSchema.proto2("enum E { A_B = 0; A__B = 1; E_A_B = 2; }")
    try expect(
      schema.diagnostics(),
      [
        "t.proto:3:19: note: value A__B is aB_2 in Swift, because value A_B at t.proto:3:10 is aB"
      ])
  }

  @Test func theEnumsNameStaysWhereValuesWouldClashWithoutIt() throws {
    let swift = try TestSchema.proto2("enum Colour { BLUE = 0; COLOUR_BLUE = 1; COLOUR_RED = 2; }").swift()
    #expect(swift.contains("case blue\n"))
    #expect(swift.contains("case colourBlue\n"))
    #expect(swift.contains("case colourRed\n"))
  }

  @Test func anErrorDoesNotTakeTheNameOfWhatEveryUnionHas() throws {
    let text = """
      message C {
        option (taxon.category) = { status: NOT_FOUND };
        message Category { option (taxon.error) = { code: "A" }; }
        message Members { option (taxon.error) = { code: "B" }; repeated string contexts = 1; }
      }
      """
    let swift = try TestSchema.errors(text).swift()
    #expect(swift.contains("case categoryError(Category)"))
    #expect(swift.contains("case membersError(Members)"))
    #expect(swift.contains("var contextsField: [String]"))
  }

  @Test func aPrefixFreesANameThatSwiftHasForItself() throws {
    let text = "enum Protocol { NONE = 0; } message Type { Protocol protocol = 1; } message M { enum Type { A = 0; } }"
    let swift = try TestSchema.plain(text).swift()
    #expect(swift.contains("enum T_Protocol: ProtobufEnum"))
    #expect(swift.contains("struct T_Type: Message"))
    #expect(swift.contains("var `protocol`: T_Protocol\n"))
    // Nothing stands before these.
    #expect(swift.contains("enum Type_: ProtobufEnum"))
    #expect(
      try TestSchema.plain("option swift_prefix = \"\"; \(text)").swift().contains("enum Protocol_: ProtobufEnum"))
  }

  @Test(arguments: [
    ("", "Acme_Deep_V1_M"), ("prefix=acme.deep.v1:", "M"), ("prefix=acme.deep.v1:Deep", "DeepM"),
    ("prefix=acme:A_", "A_M"), ("prefix=acme:A_,prefix=acme.deep:B_", "B_M"),
    ("prefix=acme:A_,prefix=a.proto:File", "FileM"), ("prefix=acme.de:X,prefix=b.proto:Y", "Acme_Deep_V1_M"),
  ])
  func theSettingsGiveAPrefixToAPackageOrAFile(parameter: String, name: String) throws {
    var schema = TestSchema([
      "a.proto": "syntax = \"proto3\"; package acme.deep.v1; message M {}",
      "t.proto": """
      syntax = "proto3";
      package own;
      import "a.proto";
      import "google/protobuf/empty.proto";
      message N { acme.deep.v1.M m = 1; google.protobuf.Empty e = 2; }
      """,
    ])
    schema.settings = try GeneratorSettings(parameter: parameter + (parameter.isEmpty ? "" : ",") + "prefix=google:No")
    let files = try schema.outcome().files.map(\.content)
    #expect(files.count == 2)
    #expect(files[0].contains("struct \(name): Message"))
    #expect(files[1].contains("var m: \(name)?"))
    // What comes with Taxon has its names.
    #expect(files[1].contains("var e: Google_Protobuf_Empty?"))
  }

  @Test func thePrefixOfTheSettingsTakesThePlaceOfTheFilesOwn() throws {
    var schema = TestSchema.plain("option swift_prefix = \"Own\"; message M {}")
    #expect(try schema.swift().contains("struct OwnM: Message"))
    schema.settings.prefixes = ["t": "My"]
    #expect(try schema.swift().contains("struct MyM: Message"))
  }

  @Test func typesDoNotShareAName() throws {
    let schema = TestSchema([
      "a.proto": "syntax = \"proto3\"; package a; option swift_prefix = \"\"; message M {}",
      "b.proto": "syntax = \"proto3\"; package b; option swift_prefix = \"\"; enum M { X = 0; }",
    ])
    try expect(
      schema.diagnostics(),
      [
        "b.proto:1:62: note: enum b.M is M_2 in Swift, because message a.M at a.proto:1:65 is M"
      ])
  }

  @Test func theRootTypeIsATypeToo() throws {
    let schema = TestSchema.plain(
      """
      option swift_prefix = "";
      option (taxon.taxonomy) = { domain: "t.dev" name: "MyError" };
      message MyError { option (taxon.error) = { status: ABORTED }; }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:6:9: note: message t.MyError is MyError_2 in Swift, because \
        taxonomy name "MyError" at t.proto:5:1 is MyError
        """
      ])
  }

  @Test func filesDoNotShareAnOutput() throws {
    let schema = TestSchema([
      "a/b.proto": "syntax = \"proto3\"; package a;", "a_b.proto": "syntax = \"proto3\"; package b;",
    ])
    try expect(
      schema.diagnostics(),
      [
        """
        a_b.proto:1:1: note: file a_b.proto is aB_2 in Swift, because \
        file a/b.proto at a/b.proto:1:1 is aB
        """,
        """
        a_b.proto:1:1: note: file a_b.proto is a_b_2.pb.swift in Swift, because \
        file a/b.proto at a/b.proto:1:1 is a_b.pb.swift
        """,
      ])
  }

  @Test func casesOfACategoryDoNotShareAName() throws {
    let schema = TestSchema.errors(
      """
      message C {
        option (taxon.category) = { status: ABORTED };
        message Gone { option (taxon.error) = { code: "A" }; }
        message GoneError { option (taxon.error) = { code: "B" }; }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:8:11: note: message GoneError is gone_2 in Swift, because \
        message Gone at t.proto:7:11 is gone
        """
      ])
  }

  @Test func casesOfAMethodDoNotShareAName() throws {
    let schema = TestSchema.errors(
      """
      message Gone { option (taxon.error) = { code: "A" status: ABORTED }; }
      message GoneError { option (taxon.error) = { code: "B" status: ABORTED }; }
      message Empty {}
      service S {
        rpc M(Empty) returns (Empty) { option (taxon.raises) = { errors: ["Gone", "GoneError"] }; }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:9:7: note: error t.GoneError is gone_2 in Swift, because \
        error t.Gone at t.proto:9:7 is gone
        """
      ])
  }

  @Test func methodsDoNotShareAName() throws {
    let schema = TestSchema.plain("message M {}\nservice S { rpc GetIt(M) returns (M); rpc getIt(M) returns (M); }")
    try expect(
      schema.diagnostics(),
      [
        "t.proto:5:43: note: method getIt is getIt_2 in Swift, because "
          + "method GetIt at t.proto:5:17 is getIt"
      ])
  }

  @Test(arguments: [
    ("google.protobuf", "Google_Protobuf_M"), ("a.b_c.v1", "A_BC_V1_M"), ("", "M"),
  ])
  func thePackageComesFirst(package: String, name: String) throws {
    let package = package.isEmpty ? "" : "package \(package); "
    let schema = TestSchema(["t.proto": "syntax = \"proto3\"; \(package)message M {}"])
    #expect(try schema.swift().contains("struct \(name): Message {"))
  }

  @Test func swiftPrefixComesInPlaceOfThePackage() throws {
    let schema = TestSchema(["t.proto": "syntax = \"proto3\"; package t; option swift_prefix = \"TX\"; message M {}"])
    #expect(try schema.swift().contains("struct TXM: Message {"))
  }

  @Test func aHiddenTypeIsQualified() throws {
    let text = """
      message Kind {}
      message M {
        Kind outer = 1;
        oneof kind { string text = 2; }
      }
      """
    var schema = TestSchema.plain(text)
    schema.files["t.proto"]?.replace("package t;", with: "package t; option swift_prefix = \"\";")
    schema.settings.ownModule = "Mine"
    #expect(try schema.swift().contains("var outer: Mine.Kind?\n"))
  }

  @Test func aForeignTypeIsImportedAndItsModuleNamedWhereItIsHidden() throws {
    var schema = TestSchema([
      "a.proto": """
      syntax = "proto3"; package a; option swift_prefix = ""; import "b.proto";
      message A { b.B b = 1; b.C c = 2; message C {} }
      """,
      "b.proto": "syntax = \"proto3\"; package b; option swift_prefix = \"\"; message B {} message C {}",
    ])
    schema.generating = ["a.proto"]
    schema.settings.modules = ["b.proto": "Base"]
    let swift = try schema.swift()
    #expect(swift.contains("\nimport Base\nimport Taxon\n"))
    #expect(swift.contains("var b: B?\n"))
    #expect(swift.contains("var c: Base.C?\n"))
  }

  @Test(arguments: [("public", "public struct M"), ("package", "package struct M"), ("internal", "\nstruct M")])
  func theAccessLevelIsASetting(access: String, declaration: String) throws {
    var schema = TestSchema(["t.proto": "syntax = \"proto3\"; message M { string text = 1; }"])
    schema.settings.access = try #require(.init(rawValue: access))
    #expect(try schema.swift().contains(declaration))
  }

  @Test func aFileThatIsNotGeneratedMayHaveMistakes() throws {
    var schema = TestSchema([
      "a.proto": "syntax = \"proto3\"; package a; import \"b.proto\"; message A { b.M m = 1; }",
      "b.proto": "syntax = \"proto2\"; package b; message M {} enum E { A_B = 0; A__B = 1; }",
    ])
    schema.generating = ["a.proto"]
    try expect(schema.diagnostics(), [])
  }

  /// A field that is added later, or a name that needs no suffix, leaves the others as they are.
  @Test func aSuffixIsTheSameWhateverComesLater() throws {
    let swift = try TestSchema.proto2(
      "message M { optional int32 a_2 = 9; optional int32 A = 8; optional int32 a = 1; } message m_ {}"
    ).outcome().files[0].content
    #expect(swift.contains("`A`, field 8.\n  var a_2: Int32?"))
    #expect(swift.contains("`a`, field 1.\n  var a: Int32?"))
    #expect(swift.contains("`a_2`, field 9.\n  var a2: Int32?"))
    let reverse = [
      "a/b.proto": "syntax = \"proto3\"; package p; message M {}",
      "b/a.proto": "syntax = \"proto3\"; package p_; message M {}",
    ]
    var schema = TestSchema(reverse)
    let forward = try schema.outcome()
    schema.generating = ["b/a.proto", "a/b.proto"]
    let names = try schema.outcome().diagnostics.map(\.description)
    #expect(names == forward.diagnostics.map(\.description) && names.count == 1)
    #expect(names[0].hasPrefix("b/a.proto:1:"))
  }

  @Test func whatTaxonHasItselfIsLeftToIt() throws {
    let schema = TestSchema(["google_rpc_status.proto": "syntax = \"proto3\"; package s; message M {} service S {}"])
    try expect(
      schema.diagnostics(),
      [
        "google_rpc_status.proto:1:1: note: file google_rpc_status.proto is googleRpcStatus_2 in Swift, "
          + "because googleRpcStatus is Taxon's own"
      ])
  }

  @Test func aRootTypeNeedsATypeName() throws {
    try expect(
      TestSchema.plain("option (taxon.taxonomy) = { domain: \"t.dev\" name: \"my errors\" };").diagnostics(),
      [
        """
        t.proto:4:1: error: taxonomy name "my errors" cannot be the name of a Swift type; \
        write a name such as "ExampleError"
        """
      ])
  }
}
