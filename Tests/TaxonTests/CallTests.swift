// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonTransport
import Testing

/// Calls from a channel to a server over TCP.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct CallTests {
  @Test func aCallIsAnswered() async throws {
    try await withServer { text, _ in
      text.uppercased()
    } test: { target, _ in
      let channel = try watched(Channel(target, logger: quiet))
      #expect(try await channel.text("hello") == "HELLO")
      #expect(try await channel.text("") == "")
    }
  }

  @Test func aThousandCallsAtOnceAreAnsweredEachItsOwn() async throws {
    try await withServer { text, _ in
      await Task.yield()
      return text
    } test: { target, _ in
      let channel = try watched(Channel(target, logger: quiet))
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<1000 {
          group.addTask { try await channel.text("\(number)") == "\(number)" }
        }
        for try await isRight in group { #expect(isRight) }
      }
    }
  }

  @Test func aDeclaredErrorArrivesTyped() async throws {
    try await withServer { _, _ in
      throw ConnectionError.callRefused(endpoint: "here", reason: "full", retryAfter: .seconds(7))
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: .none, logger: quiet))
      do throws(ConnectionError) {
        _ = try await channel.text("x")
        Issue.record("no error")
      } catch .callRefused(let error) {
        #expect(error.endpoint == "here")
        #expect(error.reason == "full")
        #expect(error.retryAfter == .seconds(7))
        #expect(error.message == "here refused the call: full")
        #expect(error.instanceID != nil)
      }
    }
  }

  /// Its trailers go in one frame, past HPACK's coder, or in several through it; the message is in them twice, once
  /// percent-encoded or in Base64.
  @Test(arguments: [0, 1, 94, 95, 96, 127, 128, 383, 4000, 6500, 6700, 12_000])
  func anErrorOfAnySizeArrives(_ size: Int) async throws {
    var configuration = Server.Configuration(port: 0)
    configuration.calls.maxTrailersSize = 64 * 1024
    configuration.calls.framing = .oneFrame
    let reason = String((0..<size).map { _ in "abcdef%é ".randomElement() ?? " " })
    try await withServer(configuration: configuration) { _, _ in
      throw ConnectionError.callRefused(endpoint: "here", reason: reason)
    } test: { target, _ in
      var configuration = Channel.Configuration(policy: .none)
      configuration.logger = quiet
      configuration.limits.maxHeaderListSize = 128 * 1024
      let channel = try watched(Channel(target, configuration: configuration))
      for kind in ["first", "second"] {
        do throws(ConnectionError) {
          _ = try await channel.text(kind)
          Issue.record("no error")
        } catch .callRefused(let error) {
          #expect(error.reason == reason)
          #expect(error.message == "here refused the call: \(reason)")
        }
      }
    }
  }

  struct Secret: Error { let password = "hunter2" }

  @Test func whatNobodyDeclaredIsInternalAndLeaksNothing() async throws {
    try await withServer { _, _ in
      throw Secret()
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: .none, logger: quiet))
      do throws(ConnectionError) {
        _ = try await channel.text("x")
        Issue.record("no error")
      } catch {
        #expect(error.status == .internalError)
        #expect(error.code == "INTERNAL_ERROR")
        #expect(error.message == "An internal error occurred")
        #expect(error.instanceID != nil)
        #expect(!"\(error)".contains("hunter2") && !"\(error)".contains("Secret"))
      }
    }
  }

  @Test func metadataTravelsBothWays() async throws {
    try await withServer { text, context in
      context.initialMetadata = ["x-first": "1"]
      context.trailingMetadata.add("x-last-bin", bytes: [0, 255])
      return "\(context.metadata["x-name"] ?? "") \(context.metadata.bytes("x-data-bin")) \(context.path)"
    } test: { target, _ in
      let channel = try watched(Channel(target, logger: quiet))
      let seen = Locked<[Metadata]>([])
      var options = CallOptions(metadata: ["x-name": "Ada"])
      options.metadata.add("x-data-bin", bytes: [1, 2])
      options.onMetadata = { initial, trailing in seen.withLock { $0 = [initial, trailing] } }
      #expect(try await channel.text("", options: options) == "Ada [[1, 2]] /test.Text/Call")
      #expect(seen.withLock { $0 }.map { $0["x-first"] } == ["1", nil])
      #expect(seen.withLock { $0 }.last?.bytes("x-last-bin") == [[0, 255]])
    }
  }

  @Test func theDeadlineEndsTheCallOnBothSides() async throws {
    let hasStarted = Locked(false)
    let cancelled = Signal()
    try await withServer { text, context in
      if text == "connect" { return "" }
      #expect(context.deadline != nil)
      hasStarted.withLock { $0 = true }
      let end = Signal()
      await withTaskCancellationHandler {
        await end.wait()
      } onCancel: {
        cancelled.send()
        end.send()
      }
      return ""
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: .none, logger: quiet))
      _ = try await channel.text("connect")
      // On a busy machine a deadline may pass before the handler begins.
      var timeout = Duration.milliseconds(500)
      repeat {
        do throws(ConnectionError) {
          _ = try await channel.text("x", options: CallOptions(timeout: timeout))
          Issue.record("no error")
        } catch {
          #expect(error.status == .deadlineExceeded)
        }
        timeout *= 2
      } while !hasStarted.withLock { $0 }
      await cancelled.wait()
    }
  }

  @Test func aCancelledTaskCancelsTheHandler() async throws {
    let started = Signal()
    let cancelled = Signal()
    try await withServer { _, _ in
      started.send()
      await withTaskCancellationHandler {
        await cancelled.wait()
      } onCancel: {
        cancelled.send()
      }
      return ""
    } test: { target, _ in
      let channel = try watched(Channel(target, logger: quiet))
      let call = Task { try await channel.text("x") }
      await started.wait()
      call.cancel()
      // The channel lives on until it is shut down below: its end would send the reset too.
      await cancelled.wait()
      let result = await call.result
      #expect(throws: ConnectionError.self) { try result.get() }
      channel.shutDown()
    }
  }

  @Test func aMessageOverTheLimitIsRefusedAndTheServerGoesOn() async throws {
    try await withServer { text, _ in
      "\(text.utf8.count)"
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: .none, logger: quiet))
      do throws(ConnectionError) {
        _ = try await channel.text(String(repeating: "x", count: 5 * 1024 * 1024))
        Issue.record("no error")
      } catch {
        #expect(error.status == .resourceExhausted)
        #expect(error.code == "MESSAGE_TOO_LARGE")
      }
      #expect(try await channel.text(String(repeating: "x", count: 4_000_000)) == "4000000")
    }
  }

  @Test func anAnswerOverTheLimitIsRefused() async throws {
    try await withServer { _, _ in
      String(repeating: "x", count: 2000)
    } test: { target, _ in
      var configuration = Channel.Configuration(policy: .none)
      configuration.limits.maxMessageSize = 1000
      configuration.logger = quiet
      let channel = try watched(Channel(target, configuration: configuration))
      do throws(ConnectionError) {
        _ = try await channel.text("x")
        Issue.record("no error")
      } catch {
        #expect(error.code == "MESSAGE_TOO_LARGE")
      }
    }
  }

  @Test func aMessageWithSpacesAtItsEndsArrivesWhole() async throws {
    try await withServer { _, _ in
      throw ConnectionError.callRefused(endpoint: " here", reason: "full ")
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: .none, logger: quiet))
      do throws(ConnectionError) {
        _ = try await channel.text("x")
        Issue.record("no error")
      } catch {
        #expect(error.message == " here refused the call: full ")
        #expect(error.code == "CALL_REFUSED")
      }
    }
  }

  @Test func metadataLargerThanHTTP2CarriesEndsTheCallAndNotTheConnection() async throws {
    try await withServer { text, context in
      if text == "big" { context.trailingMetadata = ["x-big": String(repeating: "x", count: 70_000)] }
      return text
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: .none, logger: quiet))
      let tooBig = CallOptions(metadata: ["x-big": String(repeating: "x", count: 70_000)])
      do throws(ConnectionError) {
        _ = try await channel.text("small", options: tooBig)
        Issue.record("no error")
      } catch {
        #expect(error.status == .resourceExhausted)
      }
      await #expect(throws: ConnectionError.self) { try await channel.text("big") }
      #expect(try await channel.text("small") == "small")
    }
  }

  @Test func callsBehindTheStreamLimitEndWhenTheChannelShutsDown() async throws {
    var configuration = Server.Configuration(port: 0)
    configuration.http2.maxConcurrentStreams = 1
    try await withServer(configuration: configuration) { text, _ in
      await Task.yield()
      return text
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: .none, logger: quiet))
      _ = try await channel.text("connect")
      let calls = (0..<6).map { number in Task { try await channel.text("\(number)") } }
      for (number, call) in calls.enumerated() {
        if number == 1 { channel.shutDown() }
        let result = await call.result
        // Those that were begun before the shutdown end well; one that came after it is told so.
        if case .failure(let error) = result {
          let error = try #require(error as? ConnectionError)
          #expect(error.message == "The channel is shut down")
        }
      }
    }
  }
}
