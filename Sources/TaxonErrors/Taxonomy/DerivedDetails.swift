// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Standard details (google/rpc/error_details.proto) that follow from what a schema declares of an error and from its
/// fields. They are sent with it; one of the same type that a thrower adds stands for the one here.
public struct DerivedDetails: Hashable, Sendable {
  /// Which quotas were exceeded.
  public var quota: [Google_Rpc_QuotaFailure.Violation]
  /// Which preconditions do not hold.
  public var preconditions: [Google_Rpc_PreconditionFailure.Violation]
  /// Which resources were meant.
  public var resources: [Google_Rpc_ResourceInfo]
  /// Where to read more.
  public var help: [Google_Rpc_Help.Link]

  /// These details; none by default.
  public init(
    quota: [Google_Rpc_QuotaFailure.Violation] = [], preconditions: [Google_Rpc_PreconditionFailure.Violation] = [],
    resources: [Google_Rpc_ResourceInfo] = [], help: [Google_Rpc_Help.Link] = []
  ) {
    self.quota = quota
    self.preconditions = preconditions
    self.resources = resources
    self.help = help
  }

  /// True when there are none.
  public var isEmpty: Bool { quota.isEmpty && preconditions.isEmpty && resources.isEmpty && help.isEmpty }
}

/// Fields of errors as times to wait before a retry, as generated code reads them. They are brought within
/// ±315,576,000,000 s, where protobuf's durations end.
public enum RetryDelay {
  /// A whole number of seconds.
  public static func seconds(_ value: some BinaryInteger) -> Duration {
    Duration.seconds(Int64(clamping: value)).bounded
  }

  /// A whole number of milliseconds.
  public static func milliseconds(_ value: some BinaryInteger) -> Duration {
    Duration.milliseconds(Int64(clamping: value)).bounded
  }

  /// A duration of protobuf's.
  public static func duration(_ value: Google_Protobuf_Duration) -> Duration { Duration(value) }
}
