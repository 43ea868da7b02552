// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import TaxonSwift
import Testing

/// Several files, packages and modules; comments, deprecation.
@Suite struct FileTests {
  @Test func filesOfOneNameInSeveralPackagesGoTogether() throws {
    let schema = TestSchema([
      "a/v1/types.proto": "syntax = \"proto3\"; package a.v1; message M { string text = 1; }",
      "b/v1/types.proto": """
      syntax = "proto3"; package b.v1; import "a/v1/types.proto"; message M { a.v1.M inner = 1; M own = 2; }
      """,
    ])
    let outcome = try schema.outcome()
    #expect(outcome.diagnostics.isEmpty)
    #expect(outcome.files.map(\.name) == ["a_v1_types.pb.swift", "b_v1_types.pb.swift"])
    #expect(outcome.files[0].content.contains("struct A_V1_M: Message {"))
    #expect(outcome.files[1].content.contains("struct B_V1_M: Message {"))
    #expect(outcome.files[1].content.contains("var inner: A_V1_M?\n"))
    #expect(outcome.files[1].content.contains("@Indirect var own: B_V1_M?\n"))
  }

  @Test func commentsBecomeDocumentation() throws {
    let swift = try TestSchema.plain(
      """
      // What it is.
      //
      //   indented *text*
      message M {
        /* In a block,
         * of two lines. */
        string text = 1;
        int32 number = 2;  // Behind the field.

        // One of two.
        oneof choice {
          // The first.
          bool a = 3;
        }
      }
      // Of an enum.
      enum E {
        // Nothing.
        E_NONE = 0;
      }
      """
    ).swift()
    #expect(swift.contains("/// What it is.\n///\n///   indented *text*\nstruct T_M"))
    #expect(swift.contains("  /// In a block,\n  /// of two lines.\n  var text: String"))
    #expect(swift.contains("  /// Behind the field.\n  var number: Int32"))
    #expect(swift.contains("    /// The first.\n    case a(Bool)"))
    #expect(swift.contains("/// Of an enum.\nenum T_E: ProtobufEnum {\n  /// Nothing.\n  case none"))
  }

  @Test func deprecationIsCarriedOver() throws {
    let swift = try TestSchema.proto2(
      """
      message M {
        optional string old = 1 [deprecated = true];
        optional M inner = 2 [deprecated = true];
        optional int32 third = 3 [deprecated = true, default = 3];
        extensions 100 to max;
      }
      extend M { optional int32 x = 100 [deprecated = true]; }
      """
    ).swift()
    for property in [
      "var old: String? {", "@Indirect var inner: T_M?\n", "@Default(3) var third: Int32\n", "var tX: Int32? {",
    ] {
      #expect(swift.contains("@available(*, deprecated)\n  \(property)"))
    }
  }

  @Test(arguments: ["public", "package", "internal"])
  func everyDeclarationHasTheAccess(access: String) throws {
    var schema = TestSchema.proto2(
      """
      message M { optional E e = 1 [default = B]; oneof o { string s = 2; } extensions 100 to max; }
      enum E { A = 1; B = 2; }
      extend M { optional int32 x = 100; }
      """)
    schema.settings.access = try #require(.init(rawValue: access))
    let word = access == "internal" ? "" : access + " "
    let swift = try schema.swift()
    for declaration in [
      "\n\(word)struct T_M: Message {", "\n  @Default(.b) \(word)var e: T_E\n", "\n  \(word)var o: O?\n",
      "\n  \(word)enum O: Oneof {", "\n  \(word)init(e: T_E? = nil, o: O? = nil) {",
      "\n\(word)enum T_E: ProtobufEnum {", "\n  \(word)init?(rawValue: Int32) {", "\n  \(word)var tX: Int32? {",
      "\n  \(word)static let tX = ",
    ] { #expect(swift.contains(declaration), "\(declaration)") }
  }

  @Test func aCommentThatSilencesAWarningIsNoDocumentation() throws {
    let swift = try TestSchema.errors(
      """
      // Somebody else has it.
      // taxon:ignore host-ejection
      message OnLoan {
        option (taxon.error) = { status: UNAVAILABLE retry: TRANSIENT breaker: NEUTRAL };
      }
      """
    ).swift()
    #expect(swift.contains("/// Somebody else has it.\n"))
    #expect(!swift.contains("taxon:ignore"))
  }
}
