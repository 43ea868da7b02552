// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import Testing

/// Requests from path, query and body, and answers.
@Suite struct RESTCallTests {
  private static let rules = [
    HTTPRule("GET", "/all"), HTTPRule("GET", "/all/{name}/{part.title}"), HTTPRule("POST", "/all", body: "*"),
    HTTPRule("PUT", "/all/{name}", body: "*"), HTTPRule("POST", "/part/{part.title}", body: "part"),
    HTTPRule("POST", "/words", body: "words"), HTTPRule("GET", "/text/{text}"),
    HTTPRule("POST", "/inside", body: "inside"),
    HTTPRule("GET", "/colour/{colour}/{flag}/{int64_value}/{data}"),
    HTTPRule("GET", "/answer/part", responseBody: "part"), HTTPRule("GET", "/answer/words", responseBody: "words"),
    HTTPRule("GET", "/answer/name", responseBody: "name"), HTTPRule("GET", "/answer/maybe", responseBody: "maybe"),
    HTTPRule("GET", "/answer/labels", responseBody: "labels"),
    HTTPRule("GET", "/answer/number", responseBody: "number"),
    HTTPRule("GET", "/answer/time", responseBody: "time"),
  ]

  private static func call(_ request: String) throws -> RESTCall {
    let parts = request.split(separator: " ", maxSplits: 1).map(String.init)
    guard case .call(let call) = try RESTRoutesTests.routes(rules).match(verb: parts[0], target: parts[1]) else {
      throw RPCError(.notFound, request)
    }
    return call
  }

  private static func read(_ request: String, _ body: String) throws -> Everything {
    let call = try call(request)
    return try Array(body.utf8).withUnsafeBytes { try call.request(Everything.self, body: $0) }
  }

  @Test(arguments: [
    ("name=a%20b+c", #"{"name":"a b c"}"#),
    ("name=%22%5C%0A%E2%80%A8", "{\"name\":\"\\\"\\\\\\n\u{2028}\"}"),
    ("name", "{}"), ("", "{}"), ("&&name=x&", #"{"name":"x"}"#), ("name=a=b", #"{"name":"a=b"}"#),
    ("int32_value=-5", #"{"int32Value":-5}"#), ("int32Value=5", #"{"int32Value":5}"#),
    ("int64_value=9007199254740993", #"{"int64Value":"9007199254740993"}"#),
    ("uint32_value=4294967295", #"{"uint32Value":4294967295}"#), ("uint64_value=0", "{}"),
    ("sint32_value=-1", #"{"sint32Value":-1}"#), ("fixed64_value=7", #"{"fixed64Value":"7"}"#),
    ("double_value=1.5e3", #"{"doubleValue":1500}"#), ("float_value=NaN", #"{"floatValue":"NaN"}"#),
    ("flag=true", #"{"flag":true}"#), ("flag=false", "{}"),
    ("data=AP8%3D", #"{"data":"AP8="}"#), ("data=AP8", #"{"data":"AP8="}"#), ("data=-_8", #"{"data":"+/8="}"#),
    ("colour=COLOUR_RED", #"{"colour":"COLOUR_RED"}"#), ("colour=2", #"{"colour":"COLOUR_BLUE"}"#),
    ("colour=77", #"{"colour":77}"#),
    ("words=a&words=b&words=", #"{"words":["a","b",""]}"#), ("numbers=1&numbers=2", #"{"numbers":[1,2]}"#),
    ("numbers=0", #"{"numbers":[0]}"#), ("colours=1&colours=COLOUR_BLUE", #"{"colours":["COLOUR_RED","COLOUR_BLUE"]}"#),
    ("part.title=x&part.pageCount=3", #"{"part":{"title":"x","pageCount":3}}"#),
    ("part.deeper.deeper.tags=x&part.deeper.title=y", #"{"part":{"deeper":{"title":"y","deeper":{"tags":["x"]}}}}"#),
    ("maybe=0", #"{"maybe":0}"#),
    ("time=2024-02-29T12:00:00.5Z", #"{"time":"2024-02-29T12:00:00.500Z"}"#),
    ("wait=1.5s", #"{"wait":"1.500s"}"#), ("mask=name,part.pageCount", #"{"mask":"name,part.pageCount"}"#),
    ("wrapped_number=5", #"{"wrappedNumber":"5"}"#), ("wrapped_text=", #"{"wrappedText":""}"#),
    ("wrapped_flag=false", #"{"wrappedFlag":false}"#), ("wrapped_flag=true", #"{"wrappedFlag":true}"#),
    (
      "times=1970-01-01T00:00:00Z&times=1970-01-01T00:00:01Z",
      #"{"times":["1970-01-01T00:00:00Z","1970-01-01T00:00:01Z"]}"#
    ),
    ("text=x", #"{"text":"x"}"#), ("number=0", #"{"number":0}"#),
    ("inside.title=x&inside.tags=y", #"{"inside":{"title":"x","tags":["y"]}}"#),
    ("by_hand=x", #"{"hand-made":"x"}"#), ("hand-made=x", #"{"hand-made":"x"}"#),
  ])
  func queryIsRead(_ query: String, _ expected: String) throws {
    #expect(try Self.read("GET /all?\(query)", "").jsonString() == expected)
  }

  @Test(arguments: [
    ("GET /all/a%2Fb/c?part.page_count=2", "", #"{"name":"a/b","part":{"title":"c","pageCount":2}}"#),
    ("POST /all", "", "{}"), ("POST /all", #" {"name":"x"} "#, #"{"name":"x"}"#),
    ("PUT /all/x", "", #"{"name":"x"}"#), ("PUT /all/x", "{}", #"{"name":"x"}"#),
    (
      "PUT /all/x", #"{"maybe":0,"words":["a"],"part":{"title":""}}"#,
      #"{"name":"x","part":{},"words":["a"],"maybe":0}"#
    ),
    // The path says which resource it is.
    ("PUT /all/x", #"{"name":"other"}"#, #"{"name":"x"}"#),
    (
      "POST /part/t?name=n", #"{"pageCount":2,"tags":["x"]}"#,
      #"{"name":"n","part":{"title":"t","pageCount":2,"tags":["x"]}}"#
    ),
    ("POST /part/t", "null", #"{"part":{"title":"t"}}"#),
    ("POST /words?numbers=1", #"["a","b"]"#, #"{"words":["a","b"],"numbers":[1]}"#), ("POST /words", "[]", "{}"),
    ("POST /words", "", "{}"),
    ("GET /colour/COLOUR_RED/true/-1/AQI", "", #"{"int64Value":"-1","flag":true,"data":"AQI=","colour":"COLOUR_RED"}"#),
  ])
  func requestIsPutTogether(_ request: String, _ body: String, _ expected: String) throws {
    #expect(try Self.read(request, body).jsonString() == expected)
  }

  @Test(
    arguments: [
      ("GET /all?nobody=1", "", ["nobody: there is no such field"]),
      ("GET /all?=1", "", [": there is no such field"]),
      ("GET /all?part.nobody=1", "", ["part.nobody: there is no such field"]),
      ("GET /all?name.x=1", "", ["name.x: the field before the last name is no single message"]),
      ("GET /all?parts.title=1", "", ["parts.title: the field before the last name is no single message"]),
      ("GET /all?labels.x=1", "", ["labels.x: the field before the last name is no single message"]),
      ("GET /all?labels=1", "", ["labels: the field is a map, and no parameter"]),
      ("GET /all?part=1", "", ["part: the field is a message, whose fields can be parameters, and no parameter"]),
      (
        "GET /all?structure=1", "",
        ["structure: the field is a message, whose fields can be parameters, and no parameter"]
      ),
      (
        "GET /all?int32_value=x&flag=1&colour=GREEN&data=*&time=now&uint32_value=-1&name=a&name=b&numbers=1&numbers=x",
        "",
        [
          "int32_value: a number is expected", "flag: true or false is expected", "colour: the enum has no such value",
          "data: a text in base64 is expected",
          "time: a time between the years 1 and 9999 is expected, such as 2024-02-29T12:00:00Z",
          "uint32_value: the number does not fit the field", "name: the field takes one value and is given several",
          "numbers: a number is expected",
        ]
      ),
      ("GET /all?text=a&number=1", "", ["number: another field that excludes this one is set: text"]),
      ("GET /all?inside.title=a&number=1", "", ["number: another field that excludes this one is set: inside"]),
      ("GET /all?part.left=a&part.right=b", "", ["part.right: another field that excludes this one is set: left"]),
      ("GET /text/x?number=1", "", ["number: another field that excludes this one is set: text"]),
      ("POST /inside?text=1", #"{"title":"x"}"#, ["text: another field that excludes this one is set: inside"]),
      (
        "GET /all/a/b?name=x&part.title=y", "",
        [
          "name: the field belongs to the path, not to the query",
          "part.title: the field belongs to the path, not to the query",
        ]
      ),
      ("PUT /all/x?maybe=1", "{}", ["maybe: the field belongs to the path or the body, not to the query"]),
      (
        "POST /part/t?part.page_count=1&nobody=1", "{}",
        [
          "part.page_count: the field belongs to the body, not to the query",
          "nobody: there is no such field",
        ]
      ),
      (
        "GET /colour/GREEN/2/x/*", "",
        [
          "colour: the enum has no such value", "flag: true or false is expected", "int64_value: a number is expected",
          "data: a text in base64 is expected",
        ]
      ),
      (
        "GET /all?nobody=1", "{}",
        [
          ": the method takes no body; fields that the path does not have are parameters of the query",
          "nobody: there is no such field",
        ]
      ),
      (
        "POST /part/t?nobody=1", #"{"pageCount":"x"}"#,
        [
          "part.pageCount: a number is expected", "nobody: there is no such field",
        ]
      ),
      ("POST /all", #"{"part":{"pageCount":1.5}}"#, ["part.pageCount: a whole number is expected"]),
      ("POST /words", #"["a",1]"#, ["words[1]: a string is expected"]),
      (
        "POST /part/t", #"{"pageCount":1.5,"title":2,"nobody":3}"#,
        [
          "part.pageCount: a whole number is expected", "part.title: a string is expected",
          "part.nobody: there is no such field",
        ]
      ),
      ("POST /words", "{}", ["words: a list is expected"]),
    ] as [(String, String, [String])])
  func everythingThatIsWrongIsTold(_ request: String, _ body: String, _ expected: [String]) throws {
    let error = #expect(throws: RPCError.self) { try Self.read(request, body) }
    #expect(error?.violations.map { "\($0.field): \($0.description)" } == expected)
    #expect(error?.code == "VALIDATION_ERROR")
    #expect(error?.httpStatus == 422)
  }

  @Test(arguments: [
    ("POST /all", "{", 1, 2), ("PUT /all/x", "{\n  \"maybe\": 1,,}", 2, 14), ("POST /part/t?nobody=1", "{}{", 1, 3),
    // Nothing gets out of the field that the body is.
    ("POST /part/t", #"{}, "name": "x""#, 1, 3), ("POST /words", "[", 1, 2),
  ])
  func malformedJSONIsToldFirst(_ request: String, _ body: String, _ line: Int, _ column: Int) throws {
    let error = #expect(throws: RPCError.self) { try Self.read(request, body) }
    #expect(error?.code == "MALFORMED_JSON")
    #expect(error?.httpStatus == 400)
    #expect(error?.metadata["line"] == "\(line)")
    #expect(error?.metadata["column"] == "\(column)")
  }

  @Test func parametersAreCountedPastTheFirstHundred() throws {
    let query = (0..<150).map { "x\($0)=1" }.joined(separator: "&")
    let error = #expect(throws: RPCError.self) { try Self.read("GET /all?\(query)", "") }
    #expect(error?.violations.count == 101)
    #expect(error?.violations.last?.description == "50 more violations")
  }

  @Test func depthOfParametersIsBounded() throws {
    func query(_ depth: Int) -> String { "part." + String(repeating: "deeper.", count: depth) + "title=x" }
    #expect(try Self.read("GET /all?\(query(62))", "").part?.deeper != nil)
    let error = #expect(throws: RPCError.self) { try Self.read("GET /all?\(query(63))", "") }
    #expect(error?.violations.first?.description == "fields are nested deeper than 64")
  }

  @Test(arguments: [
    ("/all", #"{"name":"n","part":{"title":"t"},"words":["a","b"],"labels":{"k":"v"},"number":1}"#),
    ("/answer/part", #"{"title":"t"}"#), ("/answer/words", #"["a","b"]"#), ("/answer/name", #""n""#),
    ("/answer/labels", #"{"k":"v"}"#), ("/answer/number", "1"), ("/answer/maybe", "null"), ("/answer/time", "null"),
  ])
  func answerIsTheResponseOrItsField(_ path: String, _ expected: String) throws {
    let message = Everything(
      name: "n", part: Part(title: "t"), words: ["a", "b"], labels: ["k": "v"], choice: .number(1))
    #expect(String(decoding: try Self.call("GET \(path)").response(message), as: UTF8.self) == expected)
  }

  @Test(arguments: [
    ("/all", "{}"), ("/answer/part", "null"), ("/answer/words", "[]"), ("/answer/name", "\"\""),
    ("/answer/labels", "{}"),
    ("/answer/number", "null"),
  ])
  func answerIsJSONWithoutValuesToo(_ path: String, _ expected: String) throws {
    #expect(String(decoding: try Self.call("GET \(path)").response(Everything()), as: UTF8.self) == expected)
  }

  @Test func answerThatJSONCannotSayIsAnError() throws {
    let message = Everything(time: .init(seconds: .max))
    let error = #expect(throws: RPCError.self) { try Self.call("GET /answer/time").response(message) }
    #expect(error?.code == "MALFORMED_MESSAGE")
  }
}
