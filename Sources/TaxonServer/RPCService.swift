// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// A service that a server can offer. Generated code conforms each service's protocol to it.
public protocol RPCService: Sendable {
  /// Full name, such as "octollm.v1.Orchestrator".
  static var serviceName: String { get }

  /// The descriptor of the file that declares the service, for reflection; nil when its code was generated without.
  static var fileDescriptor: ProtoFileDescriptor? { get }

  /// Methods that compute for long: their handlers run on Swift's global pool instead of their connection's event loop,
  /// whose other calls would have to wait. The change of threads costs some microseconds a call. A name that the service
  /// has not is a `SetupError` when the server starts. None by default.
  ///
  /// In debug builds, a handler that holds its loop for more than 100 ms without suspending is logged, once a method.
  var offloadedMethods: OffloadedMethods { get }

  /// Adds the service's methods to what a server answers.
  func register(in registry: inout ServiceRegistry)

  /// The server has begun to shut down gracefully. What would go on until its caller ends it, such as a stream of changes,
  /// is to be ended now: the server waits for it, up to its grace period. Called once, on any thread.
  func serverIsShuttingDown()
}

extension RPCService {
  /// None.
  public static var fileDescriptor: ProtoFileDescriptor? { nil }

  /// None.
  public var offloadedMethods: OffloadedMethods { [] }

  /// Does nothing.
  public func serverIsShuttingDown() {}
}

/// Methods of a service whose handlers run off the event loops of their connections. Written as a list of names:
///
/// ```swift
/// struct Pictures: Gallery.Service {
///   var offloadedMethods: OffloadedMethods { ["Render"] }
/// ```
public struct OffloadedMethods: Sendable, Hashable, ExpressibleByArrayLiteral {
  /// Nil: every method.
  let names: Set<String>?

  /// Every method of the service.
  public static let all = OffloadedMethods(names: nil)

  private init(names: Set<String>?) { self.names = names }

  /// Methods by their names in the schema, such as "Render".
  public init(_ names: some Sequence<String>) { self.init(names: Set(names)) }

  /// Methods by their names in the schema, such as "Render".
  public init(arrayLiteral names: String...) { self.init(names) }
}

extension MethodDescriptor {
  /// What a generated `PartialService` answers for a method that was left out: the plain status UNIMPLEMENTED, in the words
  /// that a caller also gets for a method which the server does not know.
  public func unimplemented() -> Failure {
    .other(RPCError(.unimplemented, "Method \(path) is not implemented"))
  }
}

extension MethodDescriptor {
  /// The handler that a generated `Fake` was given for this method. Throws UNIMPLEMENTED, with the method's name, when it
  /// was given none.
  public func given<Handler>(_ handler: Handler?) throws(Failure) -> Handler {
    guard let handler else {
      throw .other(RPCError(.unimplemented, "The fake was given nothing to do for \(service)/\(method)"))
    }
    return handler
  }
}
