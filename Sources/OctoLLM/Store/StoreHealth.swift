// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon

/// Makes the health of a service what its store's is.
public struct StoreHealth: Sendable {
  private let store: TaskStore
  private let health: HealthService
  private let service: String
  private let logger: Logger

  /// The health of a service, by its full name, that cannot do without the store.
  public init(
    of service: String, on store: TaskStore, in health: HealthService, logger: Logger = Logger(label: "octollm.health")
  ) {
    self.store = store
    self.health = health
    self.service = service
    self.logger = logger
  }

  /// Reads from the store and sets the status: whether that went well.
  public func check() async {
    do {
      _ = try await store.tasks(TaskQuery(size: 1))
      health.set(.serving, for: service)
    } catch {
      if health.status(of: service) == .serving {
        logger.error("the store cannot be read", metadata: [:].adding(error))
      }
      health.set(.notServing, for: service)
    }
  }

  /// Checks again and again until the task is cancelled.
  public func watch(every interval: Duration = .seconds(1)) async {
    while !Task.isCancelled {
      await check()
      try? await Task.sleep(for: interval)
    }
  }
}
