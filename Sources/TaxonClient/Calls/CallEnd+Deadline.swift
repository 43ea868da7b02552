// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors

extension CallEnd {
  /// What ended a call that has a deadline. A server, which knows the deadline too, may cancel the call for it before this
  /// end's own timer goes off: RST_STREAM with CANCEL, or CANCELLED, is then DEADLINE_EXCEEDED.
  func outcome(of deadline: NIODeadline?, now: @autoclosure () -> NIODeadline) -> Outcome {
    guard case .status(let status) = outcome, status.code == .cancelled, let deadline, deadline <= now() else {
      return outcome
    }
    return .failure(CallError.DeadlineExceeded())
  }
}
