// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The deadline of the call that a task works for. Calls that a handler makes end no later than its own (gRPC deadline
/// propagation).
public enum CallDeadline {
  /// Bound by a server while a handler runs whose caller has set a deadline.
  @TaskLocal public static var current: NIODeadline?
}
