// SPDX-License-Identifier: Apache-2.0
import NIOEmbedded
import TaxonErrors
import TaxonProtobuf
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// The same calls in each protocol, on a transport that is none.
@Suite struct ProtocolTests {
  private let exchange = FakeExchange()
  private let router = TextRouter()
  private let loop = EmbeddedEventLoop()

  private func call(
    _ protocols: CallProtocols = CallProtocols(), limits: ServerCallLimits = ServerCallLimits()
  ) -> ServerStream {
    ServerStream(
      exchange,
      context: ServerStreamContext(
        executor: LoopExecutor(loop), peer: "test", router: router, limits: limits, protocols: protocols))
  }

  private func post(
    _ type: String, _ body: [UInt8], _ fields: [(String, String)] = [], _ protocols: CallProtocols = CallProtocols()
  ) {
    let call = call(protocols)
    call.receive([(":method", "POST"), (":path", "/test.Text/Echo"), ("content-type", type)] + fields)
    call.receive(body, isLast: true)
    call.closed(errorCode: 0)
  }

  private func get(_ target: String, verb: String = "GET", _ fields: [(String, String)] = []) {
    call().receive([(":method", verb), (":path", target)] + fields, endStream: true)
  }

  /// The fields of the answer's head.
  private var head: [String] {
    for event in exchange.events {
      switch event {
      case .head(let fields), .headersOnly(let fields): return fields
      default: continue
      }
    }
    return []
  }

  private var body: [UInt8] {
    exchange.events.flatMap { event in if case .body(let bytes) = event { bytes } else { [] as [UInt8] } }
  }

  private var text: String { String(decoding: body, as: UTF8.self) }

  /// "hi" as a StringValue.
  private static let message: [UInt8] = [10, 2, 104, 105]
  private static let envelope: [UInt8] = [0, 0, 0, 0, 4] + message

  @Test(arguments: [
    ("application/json", #""hi""#), ("application/json; charset=utf-8", #""hi""#), ("Application/JSON", #"  "hi"  "#),
  ]) func plainJSONIsTheMessageAlone(_ type: String, _ request: String) {
    router.trailing = ["x-end": "yes"]
    post(type, Array(request.utf8))
    #expect(head == [":status: 200", "content-type: application/json", "x-end: yes"])
    #expect(text == #""hi""#)
    #expect(exchange.isFinished)
  }

  @Test func connectHasTrailingMetadataInItsHead() {
    router.initial = ["x-begin": "yes"]
    router.trailing = ["x-end": "yes"]
    post("application/proto", Self.message)
    #expect(head == [":status: 200", "content-type: application/proto", "x-begin: yes", "trailer-x-end: yes"])
    #expect(body == Self.message)
  }

  @Test func anEmptyBodyIsAnEmptyMessage() {
    post("application/proto", [])
    #expect(head.first == ":status: 200")
    #expect(body.isEmpty)
  }

  @Test func gRPCWebHasItsTrailersInTheBody() {
    router.trailing = ["x-end": "yes"]
    post("application/grpc-web+proto", Self.envelope)
    #expect(head == [":status: 200", "content-type: application/grpc-web+proto"])
    let trailers = Array("grpc-status: 0\r\nx-end: yes\r\n".utf8)
    #expect(body == Self.envelope + [0x80, 0, 0, 0, UInt8(trailers.count)] + trailers)
  }

  @Test(arguments: 1...11) func gRPCWebTextIsCutAnywhere(_ size: Int) throws {
    let call = call()
    call.receive([(":method", "POST"), (":path", "/test.Text/Echo"), ("content-type", "application/grpc-web-text")])
    // Two groups with padding of their own.
    let request =
      Base64.encode(Array(Self.envelope[..<4]), isPadded: true)
      + Base64.encode(Array(Self.envelope[4...]), isPadded: true)
    for start in stride(from: 0, to: request.count, by: size) {
      call.receive(Array(request[start..<min(start + size, request.count)]))
    }
    call.receivedEnd()
    var text = Base64Text()
    var bytes: [UInt8] = []
    let isText = body.withUnsafeBytes { text.decode($0, into: &bytes) }
    #expect(isText && text.isAtBoundary)
    #expect(bytes.starts(with: Self.envelope))
    #expect(String(decoding: bytes.dropFirst(14), as: UTF8.self) == "grpc-status: 0\r\n")
  }

  @Test(arguments: [
    (
      "application/json", [] as [(String, String)], 404, #"{"error":"NOT_FOUND","message":"not \"here\"","details":{}}"#
    ),
    ("application/json", [("connect-protocol-version", "1")], 404, #"{"code":"not_found","message":"not \"here\""}"#),
    ("application/json", [("accept", "application/problem+json")], 404, #"{"type":"about:blank","#),
  ]) func anErrorIsABodyWithAStatus(_ type: String, _ fields: [(String, String)], _ status: Int, _ beginning: String) {
    post(type, Array(#""fail""#.utf8), fields)
    #expect(head.first == ":status: \(status)")
    #expect(text.hasPrefix(beginning), "\(text)")
  }

  @Test func anErrorOfGRPCWebIsInItsTrailers() {
    post("application/grpc-web", [0, 0, 0, 0, 6, 10, 4, 102, 97, 105, 108])
    #expect(head.first == ":status: 200")
    #expect(String(decoding: body.dropFirst(5), as: UTF8.self) == "grpc-status: 5\r\ngrpc-message: not \"here\"\r\n")
  }

  @Test(arguments: ["base64=1&message=CgJoaQ", "base64=1&message=CgJoaQ%3D%3D", "message=%0a%02hi"])
  func aGETHasItsMessageInTheQuery(_ message: String) {
    get("/test.Text/Echo?connect=v1&encoding=proto&\(message)")
    #expect(head == [":status: 200", "content-type: application/proto"])
    #expect(body == Self.message)
  }

  @Test func theAnswerToHEADHasNoBody() {
    get("/test.Text/Echo?connect=v1&encoding=json&message=%22hi%22", verb: "HEAD")
    #expect(
      exchange.events == [.headersOnly([":status: 200", "content-type: application/json", "content-length: 4"])])
  }

  @Test(arguments: [(#""1""#, 304), (#"W/"1""#, 304), (#""0", "1""#, 304), ("*", 304), (#""2""#, 200)])
  func whatTheCallerHasIsNotSentAgain(_ tag: String, _ status: Int) {
    router.initial = ["etag": #""1""#, "cache-control": "max-age=60"]
    get("/test.Text/Echo?encoding=json&message=%22hi%22", [("if-none-match", tag)])
    #expect(head.first == ":status: \(status)")
    #expect(head.contains("etag: \"1\"") && head.contains("cache-control: max-age=60"))
    #expect(body.isEmpty == (status == 304))
  }

  @Test(arguments: [
    ("POST", "/test.Text/Echo", "text/plain", 415), ("POST", "/test.Text/Both", "application/json", 415),
    ("POST", "/test.Text/Echo", "application/connect+json", 415),
    ("POST", "/test.Text/Echo", "application/json; charset=latin1", 415), ("GET", "/test.Text/Change", "", 405),
    ("PUT", "/test.Text/Echo", "application/json", 405), ("GET", "/test.Text/Echo", "application/grpc", 405),
    ("POST", "/nothing", "application/json", 404), ("GET", "/nothing", "", 404),
    ("GET", "/test.Text/Echo?connect=v1", "", 400),
    ("GET", "/test.Text/Echo?connect=v2&encoding=json&message=%22%22", "", 400),
    ("GET", "/test.Text/Echo?encoding=json&base64=1&message=%21", "", 400),
    ("GET", "/test.Text/Echo?encoding=xml&message=a", "", 415),
  ]) func whatIsNoCallHasTheStatusThatSaysWhy(_ verb: String, _ path: String, _ type: String, _ status: Int) {
    call().receive(
      [(":method", verb), (":path", path)] + (type.isEmpty ? [] : [("content-type", type)]), endStream: true)
    #expect(head.first == ":status: \(status)")
    #expect(exchange.isFinished)
    #expect(!exchange.events.contains(.resetWhenAnswered))
    #expect(router.failures.count == 1)
  }

  @Test(arguments: [
    ("", 200), ("1000", 200), ("9999999999", 200), ("12345678901", 400), ("-1", 400), ("1s", 400), (" ", 400),
  ]) func connectsTimeoutIsOneToTenDigits(_ timeout: String, _ status: Int) {
    post(
      "application/proto", Self.message,
      timeout.isEmpty ? [] : [("connect-timeout-ms", timeout), ("connect-protocol-version", "1")])
    #expect(head.first == ":status: \(status)")
  }

  @Test(arguments: [("1", 200), ("2", 400), (nil, 400)] as [(String?, Int)])
  func connectsVersionMayBeRequired(_ version: String?, _ status: Int) {
    var settings = ConnectSettings()
    settings.requiresProtocolVersion = true
    post(
      "application/proto", Self.message, version.map { [("connect-protocol-version", $0)] } ?? [],
      CallProtocols(connect: settings))
    #expect(head.first == ":status: \(status)")
  }

  @Test(
    arguments: [
      ("application/grpc-web", ServedProtocols.connect, 415), ("application/proto", .grpcWeb, 415),
      ("application/json", [], 415), ("application/json", .connect, 200), ("application/json", .json, 200),
    ] as [(String, ServedProtocols, Int)]) func whatIsNotServedIsRefused(
      _ type: String, _ served: ServedProtocols, _ status: Int
    )
  {
    post(type, type == "application/json" ? Array(#""hi""#.utf8) : Self.message, [], CallProtocols(served: served))
    #expect(head.first == ":status: \(status)")
  }

  @Test(
    arguments: [
      ("application/proto", [], [10, 255], 400),
      ("application/proto", [("content-encoding", "gzip")], [31, 139, 8], 400),
      ("application/json", [("content-encoding", "gzip")], [31, 139, 8], 400),
      ("application/json", [("content-encoding", "GZIP"), ("connect-protocol-version", "1")], [31, 139, 8], 400),
    ] as [(String, [(String, String)], [UInt8], Int)])
  func aRequestThatCannotBeReadIsTheCallersFaultToHTTP(
    _ type: String, _ fields: [(String, String)], _ body: [UInt8], _ status: Int
  ) {
    post(type, body, fields)
    #expect(head.first == ":status: \(status)")
    #expect(text.contains("invalid_argument") || text.contains("PROTOCOL_VIOLATION"), "\(text)")
    #expect(router.failures.count == 1)
  }

  @Test(
    arguments: [
      ([0, 0, 0, 0, 2, 10, 255], "invalid_argument"), ([0, 0, 0, 0, 9, 1], "invalid_argument"),
      ([0, 0, 0], "invalid_argument"), ([9, 0, 0, 0, 0], "invalid_argument"), ([1, 0, 0, 0, 0], "internal"),
    ] as [([UInt8], String)])
  func aStreamThatCannotBeReadIsTheCallersFaultToConnect(_ body: [UInt8], _ code: String) throws {
    let call = call()
    call.receive([
      (":method", "POST"), (":path", "/test.Text/Many"), ("content-type", "application/connect+proto"),
    ])
    call.receive(body, isLast: true)
    #expect(head.first == ":status: 200")
    let end = String(decoding: self.body.dropFirst(5), as: UTF8.self)
    #expect(end.contains(#""code":"\#(code)""#), "\(end)")
  }

  @Test func connectSaysWhenToComeAgain() {
    post("application/json", Array(#""later""#.utf8), [("connect-protocol-version", "1")])
    #expect(head.first == ":status: 503" && head.contains("retry-after: 3"))
  }

  @Test func aStreamOfConnectsSaysWhenToComeAgain() {
    let call = call()
    call.receive([(":method", "POST"), (":path", "/test.Text/Many"), ("content-type", "application/connect+proto")])
    call.receive([0, 0, 0, 0, 7, 10, 5] + Array("later".utf8), isLast: true)
    #expect(String(decoding: body.dropFirst(5), as: UTF8.self).hasSuffix(#""metadata":{"retry-after":["3"]}}"#))
  }

  @Test func aRequestThatCannotBeReadIsInternalToGRPC() {
    post("application/grpc-web", [0, 0, 0, 0, 2, 10, 255])
    #expect(String(decoding: body.dropFirst(5), as: UTF8.self).hasPrefix("grpc-status: 13\r\n"))
  }

  /// gRPC's header is for gRPC, its gateways, and callers without a protocol of their own.
  @Test(arguments: [
    ("application/json", "grpc-timeout", "10S", 200), ("application/json", "grpc-timeout", "soon", 400),
    ("application/json", "connect-timeout-ms", "1000", 200), ("application/json", "connect-timeout-ms", "soon", 400),
    ("application/proto", "grpc-timeout", "soon", 200), ("application/proto", "connect-timeout-ms", "soon", 400),
  ]) func aTimeoutThatIsNoneIsTheCallersFault(_ type: String, _ name: String, _ value: String, _ status: Int) {
    post(type, type == "application/json" ? Array(#""hi""#.utf8) : Self.message, [(name, value)])
    #expect(head.first == ":status: \(status)")
    if status == 400 { #expect(text.contains(name), "\(text)") }
  }

  @Test(
    arguments: [
      ([("grpc-timeout", "10S"), ("connect-timeout-ms", "20000")], Duration.seconds(10)),
      ([("grpc-timeout", "10S"), ("connect-timeout-ms", "500")], .milliseconds(500)), ([], nil),
    ] as [([(String, String)], Duration?)])
  func theShorterOfTwoTimeoutsCounts(_ fields: [(String, String)], _ timeout: Duration?) {
    let call = call()
    call.receive([(":method", "POST"), (":path", "/test.Text/Echo"), ("content-type", "application/json")] + fields)
    #expect(call.head.timeout == timeout)
    call.closed(errorCode: 0)
  }

  @Test(arguments: [ServedProtocols.all, [.connect, .rest]])
  func aPathOfRESTsIsRESTWhateverHeaderOfConnectsComes(_ served: ServedProtocols) throws {
    try router.routes.add(
      HTTPRule("POST", "/v1/echo", body: "*"), method: "/test.Text/Change",
      request: Google_Protobuf_StringValue.descriptor, response: Google_Protobuf_StringValue.descriptor)
    let call = call(CallProtocols(served: served))
    call.receive([
      (":method", "POST"), (":path", "/v1/echo"), ("content-type", "application/json"),
      ("connect-protocol-version", "1"),
    ])
    call.receive(Array(#""hi""#.utf8), isLast: true)
    #expect(head == [":status: 200", "content-type: application/json"])
    #expect(text == #""hi""#)
  }

  @Test func whatAcceptSaysInSeveralLinesIsOneList() {
    post(
      "application/json", Array(#""fail""#.utf8),
      [("accept", "application/json;q=0.1"), ("accept", "application/problem+json")])
    #expect(head.contains("content-type: application/problem+json"))
  }

  @Test(arguments: [nil, "gzip", "br", "br, gzip"])
  func aCacheIsToldThatTheAnswerDependsOnWhatTheCallerCanTakeApart(_ accepted: String?) {
    var limits = ServerCallLimits()
    limits.compression = CompressionSettings(.gzip, minimumSize: 0)
    call(limits: limits).receive(
      [(":method", "GET"), (":path", "/test.Text/Echo?encoding=json&message=%22hi%22")]
        + (accepted.map { [("accept-encoding", $0)] } ?? []), endStream: true)
    #expect(head.contains("vary: accept-encoding"))
    #expect(head.contains("content-encoding: gzip") == (accepted?.contains("gzip") ?? false))
  }

  @Test func aPathThatAnswersGETAnswersHEAD() throws {
    try router.routes.add(
      HTTPRule("GET", "/v1/echo"), method: "/test.Text/Echo",
      request: Google_Protobuf_StringValue.descriptor, response: Google_Protobuf_StringValue.descriptor)
    get("/v1/echo", verb: "OPTIONS")
    #expect(head == [":status: 204", "allow: GET, HEAD, OPTIONS"])
  }

  @Test(arguments: [
    ("GET", "/nothing", ""), ("GET", "/test.Text/Change", ""), ("POST", "/test.Text/Echo", "image/png"),
    ("POST", "/test.Text/Echo", "application/connect+proto"), ("GET", "/test.Text/Echo?connect=v2&encoding=json", ""),
    ("POST", "/nothing", "application/proto"), ("POST", "/nothing", "application/grpc-web"),
    ("HEAD", "/nothing", ""), ("OPTIONS", "/nothing", ""),
  ]) func aPageMayReadWhyItsRequestIsNoCall(_ verb: String, _ path: String, _ type: String) {
    call(CallProtocols(cors: CORSSettings(origins: ["https://a.test"]))).receive(
      [(":method", verb), (":path", path), ("origin", "https://a.test")]
        + (type.isEmpty ? [] : [("content-type", type)]), endStream: true)
    #expect(head.contains("access-control-allow-origin: https://a.test"))
    #expect(head.contains("vary: origin"))
  }

  @Test func aBodyOverTheLimitIsRefusedByItsLength() {
    let call = call()
    call.receive([
      (":method", "POST"), (":path", "/test.Text/Echo"), ("content-type", "application/json"),
      ("content-length", "4194305"),
    ])
    #expect(head.first == ":status: 413")
  }
}
