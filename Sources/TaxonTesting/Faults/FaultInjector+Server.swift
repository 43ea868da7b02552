// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonServer

extension FaultInjector: ServerInterceptor {
  /// The trailer, or on HTTP's roads the header, that says which fault was injected.
  public static var marker: String { "taxon-injected-fault" }

  /// Checks that the server has the methods of the rules, and that they declare the rules' errors.
  ///
  /// - Throws: `SetupError.invalidSetting`, which says what the method declares.
  public func prepare(for methods: [ServedMethod]) throws(SetupError) {
    for rule in configuration.rules { try rule.check(methods) }
  }

  /// Lets the call fail, wait or break, if a rule or a header says so.
  public func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
    guard isEnabled, let plan = try plan(for: call) else { return try await next() }
    var isActive = true
    defer { if isActive { finished() } }
    begin(plan, call.path)
    call.trailingMetadata.add(Self.marker, plan.fault.label)
    if plan.delay > .zero { try await configuration.clock.sleep(for: plan.delay) }
    if plan.fault.leavesTheAnswer {
      // A delay is finished when it is over (gRPC A33), however long the handler goes on.
      isActive = false
      finished()
    }
    guard plan.fault.abort != nil else { return try await next() }
    guard let messages = plan.fault.messages else { return try await abort(plan, call, next) }
    let breakage = Breakage(plan, behind: messages)
    call[BreakageKey.self] = (call[BreakageKey.self] ?? [:]).merging([ObjectIdentifier(self): breakage]) { $1 }
    do {
      try await next()
    } catch {
      guard breakage.isDue else { throw error }
    }
    if breakage.isDue { try await abort(plan, call) {} }
  }

  /// Counts the messages of an answer that is to break.
  public func sending(_ message: inout any Message, of call: ServerContext) throws {
    try call[BreakageKey.self]?[ObjectIdentifier(self)]?.countMessage()
  }

  private func plan(for call: ServerContext) throws(RPCError) -> Plan? {
    let errors = call.declaredErrors?.members ?? []
    let facts = FaultCall(
      path: call.path, metadata: call.metadata, peer: call.peer, peerCertificate: call.peerCertificate)
    if let requested = try requested(by: facts, errors) { return requested }
    return plan(for: facts, errors)
  }

  /// Ends the call as the fault says.
  private func abort(_ plan: Plan, _ call: ServerContext, _ next: () async throws -> Void) async throws {
    if let error = plan.error { throw error }
    guard case .connection(let fault)? = plan.fault.abort else { return }
    await call.suffer(fault)
    if fault == .goAway { return try await next() }
    throw Breakage.error
  }
}

/// An answer that is to break behind some messages.
private final class Breakage: Sendable {
  private let plan: FaultInjector.Plan
  private let messages: Int
  private let count = Locked(0)

  init(_ plan: FaultInjector.Plan, behind messages: Int) {
    self.plan = plan
    self.messages = messages
  }

  /// So many messages have gone out.
  var isDue: Bool { count.withLock { $0 >= messages } }

  /// A message is about to go out.
  ///
  /// - Throws: The fault's error for the one behind the last.
  func countMessage() throws {
    let isLate = count.withLock { count in
      count += 1
      return count > messages
    }
    if isLate { throw plan.error ?? Self.error }
  }

  /// What the handler and the log get for a broken stream or connection.
  static var error: RPCError {
    var error = RPCError(.unavailable, "A fault was injected: the connection of the call is broken")
    error.context.isInjected = true
    return error
  }
}

/// By the injector, of which a call may have several.
private enum BreakageKey: CallValueKey { typealias Value = [ObjectIdentifier: Breakage] }
