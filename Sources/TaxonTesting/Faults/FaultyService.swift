// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonServer

/// A service whose calls fail on purpose: a generated fake in a test, or a real service on a server.
///
/// The faults stand inside of the server's own interceptors.
public struct FaultyService<Base: RPCService>: RPCService {
  /// What answers the calls that do not fail.
  public let base: Base
  /// What lets calls fail: to switch off, or to ask what it did.
  public let faults: FaultInjector

  /// The name of the service itself.
  public static var serviceName: String { Base.serviceName }
  /// The descriptor of the service itself.
  public static var fileDescriptor: ProtoFileDescriptor? { Base.fileDescriptor }
  /// Those of the service itself.
  public var offloadedMethods: OffloadedMethods { base.offloadedMethods }

  /// Makes the methods known to a server, with the faults around them.
  public func register(in registry: inout ServiceRegistry) {
    base.register(in: &registry)
    registry.intercept(Base.serviceName, with: faults)
  }

  /// Tells the service itself.
  public func serverIsShuttingDown() { base.serverIsShuttingDown() }
}

extension RPCService {
  /// The service with faults around its methods.
  public func failing(with faults: FaultInjector) -> FaultyService<Self> { FaultyService(base: self, faults: faults) }

  /// The service with faults around its methods, by these rules. The server that gets it checks that the methods declare the errors.
  ///
  /// - Throws: `SetupError.invalidSetting` when a rule has a number out of its bounds, or an error that its method does not declare.
  public func failing(
    with rules: FaultRule..., seed: UInt64 = .random(in: .min ... .max)
  ) throws(SetupError) -> FaultyService<Self> {
    var configuration = FaultInjector.Configuration(rules: rules)
    configuration.seed = seed
    return failing(with: try FaultInjector(configuration))
  }

  /// The service, each call of which fails with one of its declared errors.
  public func failing<Failure>(with fault: DeclaredFault<Failure>) -> FaultyService<Self> {
    failing(with: FaultInjector(checked: FaultInjector.Configuration(rules: [fault.rule])))
  }

  /// The service, one method of which fails each time. The compiler refuses what the method does not declare:
  /// `Orchestrator.Fake().failing(Orchestrator.Methods.getTask, with: .taskNotFound(taskID: "42"))`.
  public func failing<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, with error: Failure
  ) -> FaultyService<Self> {
    failing(with: FaultInjector(checked: FaultInjector.Configuration(rules: [.raise(error, by: method)])))
  }
}
