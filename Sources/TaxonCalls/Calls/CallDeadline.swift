// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The deadline of the call that a task works for. Calls that a handler makes end no later than its own (gRPC deadline
/// propagation).
///
/// It is a task-local value: child tasks have it, and so does an unstructured `Task { … }`, which may outlive the handler.
/// Calls for work that goes on after the answer want `Task.detached`, or a deadline of their own:
///
/// ```swift
/// Task { await CallDeadline.$current.withValue(nil) { await refreshCache() } }
/// ```
public enum CallDeadline {
  /// Bound by a server while a handler runs whose caller has set a deadline.
  @TaskLocal public static var current: NIODeadline?
}
