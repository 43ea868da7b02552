// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// Mistakes with categories, and with methods.
@Suite struct CategoryDiagnosticsTests {
  private func schema(_ fields: String) -> TestSchema {
    .errors(
      """
      message C {
        option (taxon.category) = { status: ABORTED };
        string request_id = 1;
        repeated int32 parts = 2;
        message A {
          option (taxon.error) = { code: "A" };
          \(fields)
        }
      }
      """)
  }

  @Test func anErrorMayHaveTheFieldsOfItsCategory() throws {
    try expect(schema("string request_id = 1; repeated int32 parts = 2; string more = 3;").diagnostics(), [])
    try expect(schema("string more = 3;").diagnostics(), [])
  }

  @Test(arguments: [
    (
      "string name = 1;",
      "\"name\" has number 1, which belongs to \"request_id\" in category C at t.proto:7:10; "
        + "declare it as string request_id = 1"
    ),
    (
      "string request_id = 3;",
      "\"request_id\" has number 3, and 1 in category C at t.proto:7:10; declare it as string request_id = 1"
    ),
    (
      "optional string request_id = 1;",
      "\"request_id\" is optional string, and string in category C at t.proto:7:10; declare it as string request_id = 1"
    ),
    (
      "repeated int64 parts = 2;",
      "\"parts\" is repeated int64, and repeated int32 in category C at t.proto:8:18; "
        + "declare it as repeated int32 parts = 2"
    ),
    (
      "map<string, A> parts = 2;",
      "\"parts\" is map<string, t.C.A>, and repeated int32 in category C at t.proto:8:18; "
        + "declare it as repeated int32 parts = 2"
    ),
  ])
  func fieldsDoNotClash(field: String, mistake: String) throws {
    let column = 5 + field.split(separator: " ").dropLast(3).joined(separator: " ").count + 1
    try expect(
      schema(field).diagnostics(),
      [
        "t.proto:11:\(column): error: category field clash: \(mistake), or choose another name and number"
      ])
  }

  @Test func innerCategoriesDoNotClashEither() throws {
    let schema = TestSchema.errors(
      """
      message C {
        option (taxon.category) = { status: ABORTED };
        string request_id = 1;
        message D {
          option (taxon.category) = { status: ABORTED };
          int32 other = 1;
        }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:10:11: error: category field clash: "other" has number 1, which belongs to "request_id" in category C \
        at t.proto:7:10; declare it as string request_id = 1, or choose another name and number
        """
      ])
  }

  @Test func aCategoryIsNeverSent() throws {
    let schema = TestSchema.errors(
      """
      message C { option (taxon.category) = { status: ABORTED }; }
      message M {
        C one = 1;
        map<string, C> two = 2;
      }
      service S {
        rpc Get(C) returns (M);
        rpc Put(M) returns (C);
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:7:5: error: field "one" has the type C, which is a category and never sent; \
        use one of its errors, or a message
        """,
        """
        t.proto:8:18: error: field "two" has the type C, which is a category and never sent; \
        use one of its errors, or a message
        """,
        "t.proto:11:11: error: method Get takes C, which is a category and never sent; use a message",
        "t.proto:12:23: error: method Put returns C, which is a category and never sent; use a message",
      ])
  }

  @Test func anErrorThatIsTakenOrReturnedIsAWarning() throws {
    let schema = TestSchema.errors(
      """
      message Gone { option (taxon.error) = { status: NOT_FOUND }; }
      message M { Gone gone = 1; }
      service S {
        rpc Get(M) returns (Gone);
        rpc Put(stream Gone) returns (M);
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:8:23: warning: method Get returns Gone, which is an error; its callers get it as a success; \
        name it in raises, and return a message
        """,
        """
        t.proto:9:18: warning: method Put takes Gone, which is an error; take a message, which may have the error \
        in a field
        """,
      ])
  }

}
