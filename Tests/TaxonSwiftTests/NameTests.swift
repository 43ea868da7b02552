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
        t.proto:5:19: error: field "foo1" becomes foo1 in Swift, as field "foo_1" at t.proto:4:19 does; \
        rename one of them
        """,
        """
        t.proto:6:9: error: oneof "foo__1" becomes foo1 in Swift, as field "foo_1" at t.proto:4:19 does; \
        rename one of them
        """,
      ])
  }

  @Test func membersOfAOneofDoNotShareAName() throws {
    let schema = TestSchema.proto2("message M { oneof kind { string a_b = 1; string aB = 2; } }")
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:3:49: error: field "aB" becomes aB in Swift, as field "a_b" at t.proto:3:33 does; rename one of them
        """
      ])
  }

  @Test func valuesDoNotShareAName() throws {
    let schema = TestSchema.proto2("enum E { A_B = 0; A__B = 1; E_A_B = 2; }")
    try expect(
      schema.diagnostics(),
      [
        "t.proto:3:19: error: value A__B becomes aB in Swift, as value A_B at t.proto:3:10 does; rename one of them"
      ])
  }

  @Test func theEnumsNameStaysWhereValuesWouldClashWithoutIt() throws {
    let swift = try TestSchema.proto2("enum Colour { NONE = 0; COLOUR_NONE = 1; COLOUR_RED = 2; }").swift()
    #expect(swift.contains("case none\n"))
    #expect(swift.contains("case colourNone\n"))
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
        "b.proto:1:62: error: enum b.M becomes M in Swift, as message a.M at a.proto:1:65 does; rename one of them"
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
        t.proto:5:1: error: taxonomy name "MyError" becomes MyError in Swift, as message t.MyError at t.proto:6:9 does; \
        rename one of them
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
        a_b.proto:1:1: error: file a_b.proto becomes a_b.pb.swift in Swift, as file a/b.proto at a/b.proto:1:1 does; \
        rename one of them
        """
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
        t.proto:8:11: error: message GoneError becomes gone in Swift, as message Gone at t.proto:7:11 does; \
        rename one of them
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
        t.proto:9:7: error: error t.GoneError becomes MError.gone in Swift, as error t.Gone at t.proto:9:7 does; \
        rename one of them
        """
      ])
  }

  @Test func methodsDoNotShareAName() throws {
    let schema = TestSchema.plain("message M {}\nservice S { rpc GetIt(M) returns (M); rpc getIt(M) returns (M); }")
    try expect(
      schema.diagnostics(),
      [
        "t.proto:5:43: error: method getIt becomes getIt in Swift, as method GetIt at t.proto:5:17 does; "
          + "rename one of them"
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
