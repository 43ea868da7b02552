// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import Testing

@testable import TaxonErrors

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ] as [(String, Int64)])
  func aDateIsRead(_ text: String, _ seconds: Int64) {
    #expect(HTTPDate.seconds(text) == seconds)
  }

  @Test(arguments: [
    "", "soon", "-1", "1.5", "Sun, 06 Nov 1994 08:49:37 UTC", "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:-1:37 GMT", "Sun, 06 Nov +994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
  ])
  func anythingElseIsNone(_ text: String) {
    #expect(HTTPDate.seconds(text) == nil)
  }

  @Test func aRetryAfterIsReadAgainstTheTimeThatIsPassedIn() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    #expect(ReceivedStatus(code: .unavailable, retryAfter: date, now: 784_111_700).retryAfter == .seconds(77))
    #expect(ReceivedStatus(code: .unavailable, retryAfter: date, now: 784_111_800).retryAfter == .zero)
    #expect(ReceivedStatus(code: .unavailable, retryAfter: date).retryAfter == nil)
    #expect(ReceivedStatus(code: .unavailable, retryAfter: "120", now: 784_111_800).retryAfter == .seconds(120))
  }

  /// Beside RetryInfo, the pushback and `Retry-After` say less.
  @Test func retryInfoCountsBeforeRetryAfter() throws {
    var details = Google_Rpc_Status(code: 14, message: "busy", details: [])
    details.details = [try .init(packing: Google_Rpc_RetryInfo(retryDelay: .init(seconds: 3, nanos: 0)))]
    let status = ReceivedStatus(code: .unavailable, details: try details.encoded(), retryAfter: "120")
    #expect(RPCError.received(status).error.retryAfter == .seconds(3))
    #expect(RPCError.received(ReceivedStatus(code: .unavailable, retryAfter: "120")).error.retryAfter == .seconds(120))
  }
}
