// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import Testing

@testable import TaxonClient

/// What a server's failure means to a call with a deadline.
@Suite struct CallEndTests {
  private let loop = EmbeddedEventLoop()

  private func status(_ code: StatusCode, deadline: NIODeadline?) throws -> StatusCode {
    let channel = try TaxonClient.Channel(
      Target("ipv4:127.0.0.1:1"), TaxonClient.Channel.Configuration(policy: .none), dialer: NetworkDialer(),
      eventLoop: loop)
    let plan = CallPlan(path: "/a/B", isIdempotent: false, options: CallOptions(), deadline: deadline)
    let attempt = UnaryAttempt<Google_Protobuf_StringValue, Google_Protobuf_StringValue, RPCError>(
      plan, Google_Protobuf_StringValue(), on: channel.engine.dispatcher)
    return attempt.error(for: ReceivedStatus(code: code)).error.status
  }

  @Test func aServerThatCancelsACallWhoseTimeIsOverMeansItsDeadline() throws {
    loop.advanceTime(by: .hours(1))
    let now = loop.now
    #expect(try status(.cancelled, deadline: now - .milliseconds(1)) == .deadlineExceeded)
    #expect(try status(.cancelled, deadline: now) == .deadlineExceeded)
    #expect(try status(.cancelled, deadline: now + .milliseconds(1)) == .cancelled)
    #expect(try status(.cancelled, deadline: nil) == .cancelled)
    #expect(try status(.aborted, deadline: now - .seconds(1)) == .aborted)
  }
}
