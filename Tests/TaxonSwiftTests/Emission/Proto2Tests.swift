// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import TaxonSwift
import Testing

/// What proto2 has and proto3 has not, as Swift.
@Suite struct Proto2Tests {
  @Test func aGroupIsAMemberLikeAnyMessage() throws {
    let schema = TestSchema.proto2(
      """
      message M {
        optional group Old = 1 {}
        repeated group List = 2 { optional int32 x = 1; }
        oneof choice { group Part = 3 {} }
        required group Must = 4 {}
        extensions 100 to 199;
      }
      extend M { optional group Added = 100 {} }
      """)
    let outcome = try schema.outcome()
    #expect(outcome.diagnostics.isEmpty)
    let swift = try #require(outcome.files.first).content
    for line in [
      "var old: Old?", "var list: [List]", "case part(Part)", "var must: Must", "struct Old: Message {",
      "var tAdded: T_Added? {",
      "Field(\"old\", 1, .group(Old.self)),", "Field(\"list\", 2, .repeated(.group(List.self))),",
      "Field(\"part\", 3, .oneof(\"choice\", .group(Part.self))),", "Field(\"must\", 4, .required(.group(Must.self))),",
      "MessageExtension<T_M, T_Added?>(\"t.added\", 100, .group(T_Added.self))",
    ] {
      #expect(swift.contains(line), "\(line)")
    }
  }

  @Test func anExtensionOfAMessageSetIsLeftOutWithAWarning() throws {
    let schema = TestSchema.proto2(
      """
      message Set { option message_set_wire_format = true; extensions 4 to max; }
      message M { extend Set { optional M m = 1000; } }
      """)
    let outcome = try schema.outcome()
    try expect(
      outcome.diagnostics.map(\.description),
      [
        """
        t.proto:4:37: warning: extension "m" of the message set t.Set has no Swift name, its bytes stay with the unknown \
        fields; use an extension of another message or google.protobuf.Any instead
        """
      ])
    #expect(try #require(outcome.files.first).content.contains("struct T_Set: Message {"))
  }

  @Test func aMessageOfItselfAloneIsThereWithAWarning() throws {
    let schema = TestSchema.proto2("message A { required B b = 1; }\nmessage B { required A a = 1; optional A c = 2; }")
    let outcome = try schema.outcome()
    let text = "contains itself through required fields alone, so none can be sent; make the field optional"
    try expect(
      outcome.diagnostics.map(\.description),
      ["t.proto:3:24: warning: message t.A \(text)", "t.proto:4:24: warning: message t.B \(text)"])
    let swift = try #require(outcome.files.first).content
    #expect(swift.contains("  @Indirect var b: T_B?\n"))
    #expect(swift.contains("    Field(\"b\", 1, .indirect(.required(.message(T_B.self)))),\n"))
  }

  @Test func aRequiredFieldHasNoDefaultInTheInitialiser() throws {
    let swift = try TestSchema.proto2("message M { required int32 a = 1 [default = 3]; optional M b = 2; }").swift()
    #expect(swift.contains("init(a: Int32, b: T_M? = nil) {"))
  }

  @Test func aDefaultValueGoesWithTheProperty() throws {
    let swift = try TestSchema.proto2(
      """
      enum E { ONE = 1; TWO = 2; }
      message M {
        // How many.
        optional int32 count = 1 [default = -3];
        optional E e = 2 [default = TWO, deprecated = true];
        optional float f = 3 [default = -inf];
      }
      """
    ).swift()
    #expect(swift.contains("  /// How many.\n  @Default(-3) var count: Int32\n"))
    #expect(swift.contains("  @available(*, deprecated)\n  @Default(.two) var e: T_E\n"))
    #expect(swift.contains("  @Default(-.infinity) var f: Float\n"))
    #expect(swift.contains("init(count: Int32? = nil, e: T_E? = nil, f: Float? = nil) {"))
  }

  @Test func anEnumIsClosed() throws {
    let swift = try TestSchema.proto2("enum E { ONE = 1; }").swift()
    #expect(swift.contains("init?(rawValue: Int32) {"))
    #expect(!swift.contains("unrecognized"))
    #expect(swift.contains("EnumDescriptor(\"t.E\", isClosed: true, [\"ONE\": 1])"))
  }

  @Test func anExtensionIsNamedBehindThePackageAndTheMessagesAroundIt() throws {
    var schema = TestSchema.proto2(
      """
      message M { extensions 100 to max; }
      extend M { optional int32 some_id = 100; }
      message Outer { message Inner { extend M { repeated Inner in = 101; } } }
      """)
    let swift = try schema.swift()
    #expect(swift.contains("var tSomeID: Int32? {"))
    #expect(swift.contains("static let tSomeID = MessageExtension<T_M, Int32?>(\"t.some_id\", 100, .optional(.int32))"))
    #expect(swift.contains("var tOuterInnerIn: [T_Outer.Inner] {"))
    schema.files["t.proto"]?.replace("package t;", with: "package t; option swift_prefix = \"\";")
    #expect(try schema.swift().contains("var someID: Int32? {"))
    schema.files["t.proto"]?.replace("swift_prefix = \"\"", with: "swift_prefix = \"TX\"")
    #expect(try schema.swift().contains("var txSomeID: Int32? {"))
  }

  @Test func anExtensionDoesNotShareItsName() throws {
    let schema = TestSchema([
      "t.proto": """
      syntax = "proto2";
      option swift_prefix = "";
      message M { optional int32 a = 1; extensions 100 to max; }
      extend M { optional int32 A = 100; optional int32 b = 101; optional int32 B = 102; }
      """
    ])
    try expect(
      schema.diagnostics(),
      [
        "t.proto:4:27: note: extension \"A\" is a_2 in Swift, because field \"a\" at t.proto:3:28 is a",
        """
        t.proto:4:75: note: extension "B" is b_2 in Swift, because extension "b" at t.proto:4:51 is b
        """,
      ])
  }

  @Test func anExtensionOfAMessageElsewhereImportsItsModule() throws {
    var schema = TestSchema([
      "a.proto": """
      syntax = "proto2"; package a; import "b.proto"; import "google/protobuf/descriptor.proto";
      extend b.M { optional b.N n = 100; }
      extend google.protobuf.FieldOptions { optional string note = 50000; }
      """,
      "b.proto": "syntax = \"proto2\"; package b; message M { extensions 100 to max; } message N {}",
    ])
    schema.generating = ["a.proto"]
    schema.settings.modules = ["b.proto": "Base"]
    schema.settings.access = .public
    let swift = try schema.swift()
    #expect(swift.contains("\npublic import Base\npublic import Taxon\n"))
    #expect(swift.contains("extension B_M {\n"))
    #expect(swift.contains("  public var aN: B_N? {\n"))
    #expect(swift.contains("  public static let aN = MessageExtension<B_M, B_N?>(\"a.n\", 100, .message(B_N.self))\n"))
    #expect(swift.contains("extension Google_Protobuf_FieldOptions {\n"))
  }

  @Test func aTypeThatTheExtendedMessageHidesIsQualified() throws {
    var schema = TestSchema.proto2(
      """
      option swift_prefix = "";
      message Kind {}
      message M { extensions 100 to max; message Kind {} }
      extend M { optional Kind outer = 100; optional M.Kind inner = 101; }
      """)
    schema.settings.ownModule = "Mine"
    let swift = try schema.swift()
    #expect(swift.contains("var outer: Mine.Kind? {"))
    #expect(swift.contains("var inner: Kind? {"))
  }

  @Test func proto3ExtendsOptionsWithPresence() throws {
    let schema = TestSchema([
      "t.proto": """
      syntax = "proto3"; import "google/protobuf/descriptor.proto";
      extend google.protobuf.FieldOptions { string note = 50000; repeated int32 codes = 50001; }
      """
    ])
    let swift = try schema.swift()
    #expect(
      swift.contains("MessageExtension<Google_Protobuf_FieldOptions, String?>(\"note\", 50000, .optional(.string))"))
    #expect(swift.contains("\"codes\", 50001, .packed(.int32))"))
  }
}
