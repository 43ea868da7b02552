// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures

extension TaskContract {
  static func valid(_ description: String = "Tidy up", timeout: Int32? = nil, needs: [String] = []) -> TaskContract {
    TaskContract(description: description, priority: 5, timeout: timeout, requiredCapabilities: needs)
  }
}

extension OrchestratorService {
  static func quietly(
    _ store: TaskStore, replica: (any TaskReader)? = nil, arms: [Arm]? = nil, access: Access = .open
  ) -> OrchestratorService {
    OrchestratorService(
      store: store, replica: replica, arms: arms.map { ArmRegistry($0) }, access: access, logger: quiet)
  }
}

extension Arm {
  /// Waits until it is cancelled.
  static let endless = Arm("endless", capabilities: ["wait"], capacity: 1) { _ in
    await untilCancelled()
    throw CancellationError()
  }
}

/// What a body throws, as one of the errors of a union; nil when it throws nothing.
func failure<Union: ErrorUnion, Value>(
  of union: Union.Type = Union.self, _ body: () async throws -> Value
) async -> Union? {
  do {
    _ = try await body()
    return nil
  } catch {
    return Union.lift(error)
  }
}
