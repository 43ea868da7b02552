// SPDX-License-Identifier: Apache-2.0

/// Some of the methods that there are.
public enum CallScope: Sendable, Hashable {
  /// All methods of a service, by its full name, such as "octollm.v1.Orchestrator".
  case service(String)
  /// One method, by its path, such as "/octollm.v1.Orchestrator/GetTask".
  case method(String)

  /// One method.
  public static func method<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>
  ) -> CallScope {
    .method(method.path)
  }

  /// Whether a method, by its path, is among them.
  public func contains(_ path: String) -> Bool {
    switch self {
    case .method(let own): path == own
    case .service(let name): path.hasPrefix("/\(name)/")
    }
  }
}
