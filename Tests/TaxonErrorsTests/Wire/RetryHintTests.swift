// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

/// How long a server asks its caller to wait, as it is read and written.
@Suite struct RetryHintTests {
  private func received(
    _ delay: Google_Protobuf_Duration?, pushback: String? = nil, retryAfter: String? = nil
  ) throws -> RPCError {
    var status = Google_Rpc_Status(code: StatusCode.unavailable.rawValue)
    if let delay {
      let value = try Google_Rpc_RetryInfo(retryDelay: delay).encoded()
      status.details = [.init(typeURL: "type.googleapis.com/google.rpc.RetryInfo", value: value)]
    }
    return RPCError.received(
      ReceivedStatus(
        code: .unavailable, details: try status.encoded(), pushback: pushback, retryAfter: retryAfter)
    ).error
  }

  @Test(arguments: [
    (Google_Protobuf_Duration(seconds: .max, nanos: .max), Duration?.some(.longest)),
    (.init(seconds: 10_000_000_000), .seconds(10_000_000_000)), (.init(nanos: 100_000_000), .milliseconds(100)),
    (.init(), nil), (.init(seconds: -5), nil), (.init(seconds: .min, nanos: .min), nil),
  ])
  func aRetryInfoIsBoundedAndNoTimeIsNoHint(_ sent: Google_Protobuf_Duration, _ hint: Duration?) throws {
    #expect(try received(sent).retryAfter == hint)
  }

  @Test func retryInfoGoesBeforeThePushbackAndThePushbackBeforeRetryAfter() throws {
    #expect(try received(.init(seconds: 1), pushback: "2000", retryAfter: "3").retryAfter == .seconds(1))
    #expect(try received(nil, pushback: "2000", retryAfter: "3").retryAfter == .seconds(2))
    #expect(try received(.init(seconds: -1), pushback: "2000").retryAfter == .seconds(2))
    #expect(try received(nil, pushback: "0").retryAfter == nil)
  }

  @Test(arguments: [
    ("3", Duration?.some(.seconds(3))), ("99999999999999999999999", .longest), ("9223372036854775807", .longest),
    ("0", nil), ("-1", nil), ("+1", nil), ("1.5", nil), ("", nil), ("Fri, 31 Dec 1999 23:59:59 GMT", nil),
  ])
  func aRetryAfterIsSecondsWithinBounds(_ header: String, _ hint: Duration?) throws {
    #expect(try received(nil, retryAfter: header).retryAfter == hint)
  }

  /// What a relay does with an upstream's time, or a handler with one that it computed.
  @Test(arguments: [
    (Duration.seconds(1e20), Google_Protobuf_Duration?.some(.init(.longest)), Int64?.some(Int64(Int32.max))),
    (.seconds(Int64.max), .init(.longest), Int64(Int32.max)), (.microseconds(1), .init(nanos: 1000), 1),
    (.zero, .init(), 0), (.seconds(-1), .init(), 0), (.zero - .seconds(1e20), .init(), 0),
  ])
  func whatIsWrittenIsInBounds(
    _ delay: Duration, _ written: Google_Protobuf_Duration?, _ pushback: Int64?
  ) throws {
    let error = RPCError(.unavailable).retryAfter(delay)
    let wire = WireStatus(error)
    let status = try Google_Rpc_Status(decoding: wire.details)
    let info = status.details.first { $0.typeURL.hasSuffix("google.rpc.RetryInfo") }
    #expect(try info.map { try Google_Rpc_RetryInfo(decoding: $0.value).retryDelay } == written)
    #expect(wire.retryPushback == pushback)
    #expect(ErrorBody(error).retryAfter == written.map { $0.seconds + ($0.nanos > 0 ? 1 : 0) })
    #expect("\(error.retryAfter ?? .zero)".hasSuffix("seconds"))
  }

  @Test func whatASchemaDeclaresIsInBounds() {
    let declaration = ErrorDeclaration(
      domain: "test.dev", code: "LATER", status: .unavailable, severity: .error, retry: .transient, breaker: .failure,
      retryAfter: .seconds(1e20))
    #expect(declaration.retryAfter == .longest)
  }
}
