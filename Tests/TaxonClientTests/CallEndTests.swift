// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import Testing

@testable import TaxonClient

/// What an end means to a call with a deadline.
@Suite struct CallEndTests {
  private func status(_ end: CallEnd.Outcome) -> StatusCode {
    switch end {
    case .success: .ok
    case .status(let status): status.code
    case .failure(let error): error.status
    }
  }

  @Test func aServerThatCancelsACallWhoseTimeIsOverMeansItsDeadline() {
    let cancelled = CallEnd(outcome: .status(ReceivedStatus(code: .cancelled, message: "The server reset the stream")))
    let now = NIODeadline.now()
    #expect(status(cancelled.outcome(of: now - .milliseconds(1), now: now)) == .deadlineExceeded)
    #expect(status(cancelled.outcome(of: now, now: now)) == .deadlineExceeded)
    #expect(status(cancelled.outcome(of: now + .milliseconds(1), now: now)) == .cancelled)
    #expect(status(cancelled.outcome(of: nil, now: now)) == .cancelled)
    let other = CallEnd(outcome: .status(ReceivedStatus(code: .aborted)))
    #expect(status(other.outcome(of: now - .seconds(1), now: now)) == .aborted)
  }
}
