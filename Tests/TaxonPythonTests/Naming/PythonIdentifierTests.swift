// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonPython

@Suite struct PythonIdentifierTests {
  @Test(arguments: [
    ("TaskNotFound", "TaskNotFoundError"), ("RateLimitError", "RateLimitError"),
    ("ValidationErrors", "ValidationErrors"),
    ("LLMAPIError", "LLMAPIError"), ("Error", "Error"), ("task_not_found", "TaskNotFoundError"), ("gone", "GoneError"),
    ("Db_Error", "DbError"), ("X1", "X1Error"),
  ])
  func aClassEndsInError(message: String, name: String) {
    #expect(PythonIdentifier.className(message) == name)
  }

  @Test(arguments: [
    ("octollm.dev", "OctollmError"), ("reflex.octollm.dev", "ReflexOctollmError"),
    ("my-shop.example.com", "MyShopExampleError"),
    ("1st.example.com", "_1stExampleError"),
  ])
  func aTaxonomyWithoutANameIsNamedAfterItsDomain(domain: String, name: String) {
    #expect(PythonIdentifier.rootClass(ofDomain: domain) == name)
  }

  @Test(arguments: [
    ("task_id", "task_id", "task_id"), ("from", "from_", "from_"), ("message", "message_", "message"),
    ("code", "code_", "code"), ("str", "str_", "str"), ("self", "self", "self_"), ("super", "super_", "super_"),
    ("retry_after", "retry_after_", "retry_after_"), ("_hidden", "field_hidden", "field_hidden"),
    ("facts", "facts_", "facts"), ("received_causes", "received_causes_", "received_causes"),
    ("errors_pb2", "errors_pb2_", "errors_pb2"), ("camelCase", "camelCase", "camelCase"),
  ])
  func aFieldKeepsItsNameWhereItCan(field: String, attribute: String, argument: String) {
    #expect(PythonIdentifier.attribute(field) == attribute)
    #expect(PythonIdentifier.argument(field) == argument)
  }

  @Test(arguments: [
    ("octollm/v1/errors.proto", "octollm/v1/errors_taxon.py", "octollm.v1.errors_pb2"),
    ("my-errors.proto", "my_errors_taxon.py", "my_errors_pb2"), ("a.b.proto", "a/b_taxon.py", "a.b_pb2"),
  ])
  func modulesAreNamedAsProtocNamesThem(path: String, file: String, messages: String) {
    #expect(PythonIdentifier.outputFile(path) == file)
    #expect(PythonIdentifier.module(path, "_pb2") == messages)
  }

  @Test(arguments: ["shopError", "Shop Error", "None", "Sequence", "Ünicode", ""])
  func aRootClassNeedsAName(name: String) {
    #expect(PythonIdentifier.mistake(inRootClass: name)?.contains("cannot be the name of a Python class") == true)
    #expect(PythonIdentifier.mistake(inRootClass: "ShopError") == nil)
  }
}
