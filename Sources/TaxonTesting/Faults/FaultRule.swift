// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonServer
import TaxonTransport

/// Which calls a fault happens to.
///
/// ```swift
/// FaultRule.raise(.taskNotFound(taskID: "42"), by: Orchestrator.Methods.getTask).rate(0.1)
/// FaultRule(.status(.unavailable), in: .service(Orchestrator.name)).first(3)
/// FaultRule(.delay(.milliseconds(200))).from(.metadata("x-team", "search")).expiring(after: .seconds(600))
/// ```
///
/// A rule without a method or service is for all methods but those of `grpc.…` services: a health check that fails would have the
/// server taken out of service.
public struct FaultRule: Sendable, CustomStringConvertible {
  /// What happens.
  public let fault: Fault
  /// The methods; empty for all.
  public let scopes: [CallScope]
  private(set) var callers: [FaultCaller] = []
  private(set) var share = 1.0
  private(set) var skipped = 0
  private(set) var firstCalls: Int?
  private(set) var period = 1
  private(set) var most: Int?
  private(set) var lifetime: Duration?
  /// What the one method of the rule declares, where that is known.
  private var declared: (path: String, errors: [any DeclaredError.Type])?

  /// A fault for calls of some methods; of all, if none is named. Where the fault is a declared error, the methods that do not
  /// declare it are left alone; that one of them at least declares it is checked when a server starts.
  public init(_ fault: Fault, in scopes: CallScope...) {
    self.fault = fault
    self.scopes = scopes
  }

  init(_ fault: Fault, scopes: [CallScope]) {
    self.fault = fault
    self.scopes = scopes
  }

  /// A fault for calls of one method. That the method declares the fault's error is checked by the injector.
  public init<Request, Response, Failure>(_ fault: Fault, in method: MethodDescriptor<Request, Response, Failure>) {
    self.fault = fault
    scopes = [.method(method)]
    declared = (method.path, Failure.members)
  }

  /// An error of one method, which the compiler checks: `.raise(.taskNotFound(taskID: "42"), by: Orchestrator.Methods.getTask)`.
  public static func raise<Request, Response, Failure>(
    _ error: Failure, by method: MethodDescriptor<Request, Response, Failure>
  ) -> FaultRule {
    FaultRule(.error(error), in: method)
  }

  // MARK: Which calls

  /// The same for calls of one of these callers alone. To be said more than once for callers that are each of several.
  public func from(_ callers: FaultCaller...) -> FaultRule {
    changed { rule in
      let all = callers
      rule.callers.append(FaultCaller { call in all.contains { $0.includes(call) } })
    }
  }

  /// The same for a share of the calls, 0 to 1. Which ones follows from the injector's seed and the number of the call alone.
  public func rate(_ share: Double) -> FaultRule { changed { $0.share = share } }

  /// The same for the first calls alone, of those that are not left out by `after`; 0 or more.
  public func first(_ count: Int) -> FaultRule { changed { $0.firstCalls = count } }

  /// The same, but for the first calls, 0 or more, to which nothing happens.
  public func after(_ count: Int) -> FaultRule { changed { $0.skipped = count } }

  /// The same for each so-manyth call, 1 or more: with 3 for the third, the sixth, ….
  public func every(_ count: Int) -> FaultRule { changed { $0.period = count } }

  /// The same for at most so many calls, 0 or more, whichever they are.
  public func times(_ count: Int) -> FaultRule { changed { $0.most = count } }

  /// The same until so much time has gone by since the injector was made.
  public func expiring(after duration: Duration) -> FaultRule { changed { $0.lifetime = duration } }

  private func changed(_ change: (inout FaultRule) -> Void) -> FaultRule {
    var copy = self
    change(&copy)
    return copy
  }

  /// What happens, and where.
  public var description: String {
    let places = scopes.map { scope in
      switch scope {
      case .service(let name): name
      case .method(let path): String(path.dropFirst())
      }
    }
    return "\(fault) in \(places.isEmpty ? "all methods" : places.joined(separator: ", "))"
  }
}

extension FaultRule {
  /// Whether the rule is for a method; whether the method declares the error is another question.
  func contains(_ path: String) -> Bool {
    scopes.isEmpty ? !path.hasPrefix("/grpc.") : scopes.contains { $0.contains(path) }
  }

  /// Whether a call is of one that the rule is for.
  func includes(_ call: FaultCall) -> Bool { callers.allSatisfy { $0.includes(call) } }

  /// Whether a method that declares these errors can have the fault.
  func isPossible(with errors: [any DeclaredError.Type]) -> Bool {
    switch fault.abort {
    case .declared(let name): errors.contains { name.matches($0.declaration.identity) }
    case .error(let error): errors.contains { $0.declaration.identity == error.identity }
    default: true
    }
  }

  /// Checks the numbers, and the error where the method is known.
  func check() throws(SetupError) {
    func refuse(_ name: String, _ value: Any, _ reason: String) -> SetupError {
      .invalidSetting(name: "FaultRule.\(name)", value: "\(value)", reason: reason)
    }
    guard (0...1).contains(share) else { throw refuse("rate", share, "it must be 0 to 1") }
    for (name, count, least) in [
      ("first", firstCalls, 0), ("after", skipped, 0), ("every", period, 1), ("times", most, 0),
      ("messages", fault.messages, 1),
    ] {
      guard count ?? least >= least else { throw refuse(name, count ?? 0, "it must be \(least) or more") }
    }
    if let messages = fault.messages, fault.leavesTheAnswer {
      throw refuse("messages", messages, "it needs a fault that ends the answer")
    }
    for (name, duration) in [("delay", fault.delay), ("expiring", lifetime), ("retryAfter", fault.retryAfter)] {
      guard duration ?? .zero >= .zero else { throw refuse(name, duration ?? .zero, "it must not be negative") }
    }
    guard fault.delay <= FaultDuration.longest else { throw refuse("delay", fault.delay, "it must be at most an hour") }
    if case .oversized(let bytes)? = fault.damage, !(1...Self.mostDamage).contains(bytes) {
      throw refuse("damage", bytes, "it must be 1 to \(Self.mostDamage) bytes")
    }
    if case .status(let error)? = fault.abort, error.domain != RPCError(.unknown).domain {
      throw refuse("fault", error.identity, "it is neither a plain status nor declared by a schema in hand")
    }
    if let declared, !isPossible(with: declared.errors) {
      throw .invalidSetting(
        name: "FaultRule", value: fault.label, reason: Self.notRaised(by: declared.path, declared.errors))
    }
  }

  static let mostDamage = 32_768

  /// Checks that there are methods to which the fault can happen.
  func check(_ methods: [ServedMethod]) throws(SetupError) {
    let ours = methods.filter { contains($0.path) }
    guard let first = ours.first else {
      if scopes.isEmpty { return }
      throw .invalidSetting(name: "FaultRule", value: "\(self)", reason: "the server has no such method")
    }
    for case .method(let path) in scopes {
      guard let method = ours.first(where: { $0.path == path }) else {
        throw .invalidSetting(
          name: "FaultRule", value: "\(self)", reason: "the server has no method \(path.dropFirst())")
      }
      guard isPossible(with: method.errors) else {
        throw .invalidSetting(name: "FaultRule", value: fault.label, reason: Self.notRaised(by: path, method.errors))
      }
    }
    guard ours.contains(where: { isPossible(with: $0.errors) }) else {
      let all = ours.count == 1 ? Self.notRaised(by: first.path, first.errors) : "none of the rule's methods raises it"
      throw .invalidSetting(name: "FaultRule", value: fault.label, reason: all)
    }
  }

  /// Why an error cannot be raised by a method: says what the method raises.
  static func notRaised(by path: String, _ errors: [any DeclaredError.Type]) -> String {
    let codes = errors.map { $0.declaration.code }.sorted()
    let raises = codes.isEmpty ? "it declares no errors" : "it raises \(codes.joined(separator: ", "))"
    return "\(path.dropFirst()) does not raise it; \(raises)"
  }
}

/// A call as rules and permissions see it, on a server or on a client.
public struct FaultCall: Sendable {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// What travels with the request.
  public let metadata: Metadata
  /// The other end, as gRPC names peers: "ipv4:127.0.0.1:51234", "unix:", …
  public let peer: String
  /// The certificate that the caller has shown; nil without one, and on a client.
  public let peerCertificate: PeerCertificate?
}

/// Who calls.
public struct FaultCaller: Sendable {
  let includes: @Sendable (FaultCall) -> Bool

  /// Whoever the closure says. Called for each call that a rule is for; must not block.
  public init(_ includes: @escaping @Sendable (FaultCall) -> Bool) { self.includes = includes }

  /// Whose calls have this value under this name of their metadata.
  public static func metadata(_ name: String, _ value: String) -> FaultCaller {
    FaultCaller { $0.metadata.values(name).contains(value) }
  }

  /// Whose address begins so, such as "ipv4:10.1." (gRPC's names of peers).
  public static func peer(_ prefix: String) -> FaultCaller { FaultCaller { $0.peer.hasPrefix(prefix) } }

  /// Who has shown a certificate with this common name, or with this DNS name or URI among its alternative names.
  public static func certificate(_ name: String) -> FaultCaller {
    FaultCaller { call in
      guard let certificate = call.peerCertificate else { return false }
      return certificate.commonName == name || certificate.names.contains(.dns(name))
        || certificate.names.contains(.uri(name))
    }
  }
}
