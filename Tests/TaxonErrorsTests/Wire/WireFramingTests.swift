// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

/// One frame or two, by what the schema says of an error.
@Suite struct WireFramingTests {
  private static let help = Google_Rpc_Help(
    links: [.init(description: "more", url: String(repeating: "h", count: 3000))])

  private static let cases: [(error: any TaxonomyError, small: Bool, large: Bool)] = [
    // May be retried.
    (ResourceError.RateLimitError(limit: 10, window: 60), true, true),
    (RPCError(.unavailable), true, true),
    (ResourceError.ArmUnavailable(requiredCapabilities: []), true, true),
    // Counts against the server, and may.
    (CallError.InternalError(), true, false),
    (RPCError(.unknown), true, false),
    // Does not count, and Envoy would count it.
    (CallError.MethodNotFound(path: "/a/B"), false, false),
    (RPCError(.unimplemented), false, false),
    (CallError.ProtocolViolation(reason: ""), false, false),
    // Anything else.
    (ValidationError.TaskNotFound(taskID: "42"), true, false),
    (RPCError(.cancelled), true, false),
  ]

  @Test func followsTheSchema() throws {
    for (error, small, large) in Self.cases {
      #expect(wire(error).isOneFrame == small, "\(error)")
      let wide = wire(error, with: Self.help)
      #expect(wide.isOneFrame == large, "\(error), large")
      // What is to be one frame is cut until it may be.
      #expect(wide.dropped.contains("google.rpc.Help") == large, "\(error), large")
    }
  }

  @Test func aSettingOverrides() {
    for (error, _, _) in Self.cases {
      var options = WireOptions()
      options.framing = .split
      #expect(!wire(error, with: Self.help, options).isOneFrame)
      options.framing = .oneFrame
      #expect(wire(error, with: Self.help, options).isOneFrame)
      #expect(wire(error, with: Self.help, options).dropped.isEmpty)
    }
  }

  @Test func trailingMetadataThatTakesTheRoomOfAFrameSplitsTheError() {
    var options = WireOptions()
    options.reserved = 2900
    #expect(!WireStatus(RPCError(.unavailable), options).isOneFrame)
    // And nothing is left out that has room in trailers.
    let declared = WireStatus(ResourceError.ArmUnavailable(requiredCapabilities: ["plot"]), options)
    #expect(!declared.isOneFrame)
    #expect(!declared.details.isEmpty)
    #expect(declared.dropped.isEmpty)
  }

  @Test(arguments: [
    (Duration.milliseconds(1), Int64(1)), (.zero, 0), (.seconds(-3), 0), (.seconds(7), 7), (.milliseconds(7001), 8),
  ]) func aHintIsSentInWholeSecondsToo(_ duration: Duration, _ seconds: Int64) {
    #expect(WireStatus(RPCError(.unavailable).retryAfter(duration)).retryAfter == seconds)
  }

  private func wire(
    _ error: some TaxonomyError, with detail: Google_Rpc_Help? = nil, _ options: WireOptions = WireOptions()
  ) -> WireStatus {
    var error = error
    if let detail { error = error.with(detail) }
    return WireStatus(error, options)
  }
}
