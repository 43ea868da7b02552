// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import MetricsTestKit
import Taxon
import TaxonFixtures
import Testing

/// What handlers and interceptors throw, and methods do not declare: nothing of it leaves.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct UndeclaredErrorTests {
  /// The methods of `KindsService`, by the same paths, as a schema without `raises` has them.
  private struct PlainKindsService: RPCService {
    static let serviceName = KindsService.serviceName
    typealias Text = TextService.Text
    let failing: @Sendable (ServerContext) throws -> Void

    func register(in registry: inout ServiceRegistry) {
      func method(_ kind: Kind) -> MethodDescriptor<Text, Text, RPCError> {
        MethodDescriptor(service: Self.serviceName, method: kind.rawValue, idempotency: .noSideEffects)
      }
      registry.add(method(.unary)) { request, context async throws in
        try failing(context)
        return request
      }
      registry.add(serverStreaming: method(.serverStreaming)) { request, responses, context async throws in
        try await responses.write(request)
        try failing(context)
      }
      registry.add(clientStreaming: method(.clientStreaming)) { requests, context async throws in
        for try await _ in requests {}
        try failing(context)
        return Text()
      }
      registry.add(bidirectional: method(.bidirectional)) { requests, responses, context async throws in
        for try await request in requests { try await responses.write(request) }
        try failing(context)
      }
    }
  }

  /// Throws before the handler.
  private struct Guard: ServerInterceptor {
    let error: any Error
    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws { throw error }
  }

  /// Where an error is thrown.
  enum Place: CaseIterable, Sendable { case catching, plainMethod, interceptor }

  /// An error of a schema that `ConnectionError` has not, with everything that an error can carry.
  private static let secret = SetupError.InvalidSetting(
    name: "hunter1", value: "hunter2", reason: "hunter3", retryAfter: .seconds(7),
    cause: ConnectionError.ConnectionLost(endpoint: "hunter4", error: "reset")
  ).with(Google_Rpc_RequestInfo(requestID: "hunter5"))

  private struct Foreign: Error, CustomStringConvertible { let description = "SELECT hunter6" }

  /// Throws an error at a place of a method of a kind; what the caller gets for it.
  private func failure(
    _ kind: Kind, _ place: Place = .catching, _ error: any Error, logger: Logger = quiet,
    configure: (inout Server.Configuration) -> Void = { _ in }
  ) async throws -> ConnectionError {
    var configuration = Server.Configuration(port: 0)
    configure(&configuration)
    let service: any RPCService
    switch place {
    case .catching: service = KindsService { _ in throw error }
    case .plainMethod: service = PlainKindsService { _ in throw error }
    case .interceptor:
      service = KindsService()
      configuration.interceptors.append(Guard(error: error))
    }
    let server = try await makeServer([service], logger: logger) { $0 = configuration }
    let channel = try watched(Channel("ipv4:127.0.0.1:\(server.port ?? 0)", policy: .none, logger: quiet))
    let thrown = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
    channel.shutDown()
    await server.shutDown()
    return try #require(thrown)
  }

  private func count(_ kind: Kind) -> Int64 {
    let dimensions = [("service", KindsService.serviceName), ("method", kind.rawValue)]
    return processMetrics.counters(label: "taxon.server.undeclared")
      .filter { counter in dimensions.allSatisfy { wanted in counter.dimensions.contains { $0 == wanted } } }
      .reduce(0) { $0 + $1.totalValue }
  }

  @Test(arguments: Kind.allCases, Place.allCases)
  func anUndeclaredErrorIsInternalAndNothingOfItTravels(_ kind: Kind, _ place: Place) async throws {
    let before = count(kind)
    let log = LogRecorder()
    let error = try await failure(kind, place, Self.secret, logger: log.logger)
    #expect(error.status == .internalError && error.code == "INTERNAL_ERROR")
    #expect(error.message == "An internal error occurred")
    #expect(error.retryAfter == nil && error.metadata.isEmpty && error.causes.isEmpty)
    let id = try #require(error.instanceID)
    for detail in error.details {
      #expect(!String(decoding: detail.value, as: UTF8.self).contains("hunter"), "\(detail.typeURL)")
      #expect(!detail.typeURL.contains("InvalidSetting"))
    }
    #expect(count(kind) > before)
    let line = try #require(log.lines.first { $0.metadata["error.instance_id"] == id })
    #expect(line.message == "taxon.dev/INVALID_SETTING is not declared by the method; the caller got INTERNAL_ERROR")
    #expect(line.metadata["error.undeclared"] == "taxon.dev/INVALID_SETTING")
    #expect(line.metadata["rpc.path"] == kind.method.path)
    #expect(line.metadata["error.code"] == "INTERNAL_ERROR")
    #expect(line.metadata["error.field.name"] == "hunter1")
    #expect(
      line.metadata["error.cause"]
        == "taxon.dev/INVALID_SETTING: \(Self.secret.message) <- taxon.dev/CONNECTION_LOST: "
        + "The connection to hunter4 was lost: reset")
    #expect(line.level == .critical)
  }

  @Test(arguments: Kind.allCases, Place.allCases)
  func aPlainStatusPasses(_ kind: Kind, _ place: Place) async throws {
    let error = try await failure(kind, place, RPCError(.notFound, "There is no such text"))
    #expect(error.status == .notFound && error.message == "There is no such text" && error.domain == "grpc.io")
  }

  @Test(arguments: Kind.allCases, Place.allCases)
  func whatTaxonReportsOfACallPasses(_ kind: Kind, _ place: Place) async throws {
    let error = try await failure(kind, place, CallError.DeadlineExceeded())
    #expect(error.status == .deadlineExceeded && error.code == "DEADLINE_EXCEEDED" && error.domain == "taxon.dev")
  }

  @Test(arguments: Kind.allCases) func whatTheMethodDeclaresPassesWhereverItIsThrown(_ kind: Kind) async throws {
    let declared = ConnectionError.CallRefused(endpoint: "here", reason: "full")
    for error: any Error in [declared, ConnectionError.other(RPCError(declared)), TaxonError.lift(declared)] {
      for place in [Place.catching, .interceptor] {
        #expect(try await failure(kind, place, error).as(ConnectionError.CallRefused.self) == declared)
      }
    }
  }

  @Test(arguments: Kind.allCases, Place.allCases)
  func aSettingLetsErrorsPass(_ kind: Kind, _ place: Place) async throws {
    for pass: (inout UndeclaredErrors) -> Void in [
      { $0.pass(SetupError.InvalidSetting.self) }, { $0.pass(SetupError.self) },
      { $0.passingDomains.insert("taxon.dev") },
    ] {
      let error = try await failure(kind, place, Self.secret) { pass(&$0.undeclaredErrors) }
      #expect(error.code == "INVALID_SETTING" && error.status == .invalidArgument)
      #expect(error.as(SetupError.InvalidSetting.self) == Self.secret)
    }
    let other = try await failure(kind, place, Self.secret) {
      $0.undeclaredErrors.pass(SetupError.AddressUnavailable.self)
    }
    #expect(other.code == "INTERNAL_ERROR")
  }

  @Test(arguments: Kind.allCases) func noSettingPassesOnWhatACallBrought(_ kind: Kind) async throws {
    let error = try await failure(kind, .catching, RPCError(Self.secret).fromCall()) {
      $0.undeclaredErrors.passingDomains = ["taxon.dev", "grpc.io"]
    }
    #expect(error.code == "INTERNAL_ERROR")
    #expect(error.causes.map(\.code) == ["INVALID_SETTING", "CONNECTION_LOST"])
  }

  @Test(arguments: ["", "octollm.dev/TASK_NOT_FOUND", "octollm dev"])
  func aSettingThatLetsNothingPassIsRefused(_ name: String) async throws {
    for change: (inout UndeclaredErrors) -> Void in [
      { $0.passingDomains = [name] }, { $0.passing = [ErrorIdentity(domain: "octollm.dev", code: name)] },
      { $0.passing = [ErrorIdentity(domain: name, code: "TASK_NOT_FOUND")] },
    ] {
      var configuration = Server.Configuration(port: 0)
      change(&configuration.undeclaredErrors)
      let server = watched(Server(configuration, services: [], logger: quiet))
      let error = await #expect(throws: SetupError.self) { try await server.start() }
      #expect(error?.as(SetupError.InvalidSetting.self)?.name.hasPrefix("undeclaredErrors.passing") == true)
    }
  }

  @Test(arguments: Kind.allCases, Place.allCases)
  func aForeignErrorIsInTheLogByItsTypeAndByItsTextForDebuggingAlone(_ kind: Kind, _ place: Place) async throws {
    for level in [Logger.Level.info, .debug] {
      let log = LogRecorder()
      var logger = log.logger
      logger.logLevel = level
      let error = try await failure(kind, place, Foreign(), logger: logger)
      #expect(error.code == "INTERNAL_ERROR")
      let lines = log.lines.filter { $0.metadata["error.instance_id"] == error.instanceID }
      let line = try #require(lines.first)
      #expect(line.metadata["error.undeclared"]?.hasSuffix("Foreign") == true && line.level == .critical)
      #expect(line.metadata["error.cause"] == line.metadata["error.undeclared"])
      #expect(!line.message.contains("SELECT") && !line.metadata.values.contains { $0.contains("SELECT") })
      let texts = lines.filter { $0.metadata["error.cause_text"] == "SELECT hunter6" && $0.level == .debug }
      #expect(texts.count == (level == .debug ? 1 : 0) && lines.count == texts.count + 1)
    }
  }

  @Test(arguments: Kind.allCases, Place.allCases)
  func metricsOfCallsHaveWhatTheCallerGets(_ kind: Kind, _ place: Place) async throws {
    let metrics = TestMetrics()
    _ = try await failure(kind, place, Self.secret) {
      $0.interceptors = [MetricsInterceptor(prefix: "test", factory: metrics)]
    }
    let dimensions = metrics.counters(label: "test.errors").flatMap(\.dimensions)
    #expect(dimensions.contains { $0 == ("error_code", "INTERNAL_ERROR") })
    #expect(!dimensions.contains { $0.1 == "INVALID_SETTING" })
  }

  /// What a handler throws that has outlived its deadline.
  enum Late: CaseIterable, Sendable {
    case foreign, ofACall
    var error: any Error {
      switch self {
      case .foreign: Foreign()
      // Of another code than the timer's error: the second of a code is counted in the log, and not written.
      case .ofACall: RPCError(secret).fromCall()
      }
    }
  }

  @Test(arguments: Late.allCases)
  func afterTheDeadlineAnErrorIsLoggedAsItselfAndCountedAsTheDeadline(_ late: Late) async throws {
    let (log, metrics, hasStarted) = (LogRecorder(), TestMetrics(), Locked(false))
    var configuration = Server.Configuration(port: 0)
    configuration.gracePeriod = .seconds(30)
    configuration.interceptors = [MetricsInterceptor(prefix: "test", factory: metrics)]
    let service = TextService { text, context in
      guard context.deadline != nil else { return text }
      hasStarted.withLock { $0 = true }
      // By the deadline alone: the caller does not give up.
      await untilCancelled()
      throw late.error
    }
    let server = try await makeServer([service], logger: log.logger) { $0 = configuration }
    let client = try await WireClient.connect(.port(server.port ?? 0))
    // On a busy machine a deadline may pass before the handler begins.
    var timeout = Duration.milliseconds(50)
    repeat {
      #expect(try await client.call(timeout: timeout).status == "4")
      timeout *= 2
    } while !hasStarted.withLock { $0 }
    await client.close()
    await server.shutDown()
    let cause = late == .foreign ? "Foreign" : "hunter4"
    #expect(log.lines.contains { $0.metadata["error.cause"]?.contains(cause) == true })
    let codes = metrics.counters(label: "test.errors").flatMap(\.dimensions).filter { $0.0 == "error_code" }.map(\.1)
    #expect(codes == ["DEADLINE_EXCEEDED"])
  }
}
