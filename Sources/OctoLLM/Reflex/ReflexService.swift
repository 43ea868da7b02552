// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon

/// The reflex layer: looks at input before anything else does.
public struct ReflexService: Reflex.Service {
  /// The longest input, in bytes.
  public static let maxLength = 100_000
  private let limiter: RateLimiter
  private let primary: any ReflexCache
  private let secondary: (any ReflexCache)?
  private let logger: Logger

  /// A reflex layer.
  ///
  /// - Parameters:
  ///   - limiter: How many inputs it takes.
  ///   - cache: Where it keeps answers.
  ///   - secondary: Where it looks for them when the cache fails.
  public init(
    limiter: RateLimiter = RateLimiter(limit: 100, window: .seconds(1)), cache: any ReflexCache = MemoryCache(),
    secondary: (any ReflexCache)? = nil, logger: Logger = Logger(label: "octollm.reflex")
  ) {
    self.limiter = limiter
    primary = cache
    self.secondary = secondary
    self.logger = logger
  }

  /// Checks a piece of input.
  public func preprocess(
    _ request: PreprocessRequest, context: ServerContext
  ) async throws(Reflex.PreprocessError) -> PreprocessResponse {
    let text = request.text.trimmed
    guard !text.isEmpty else { throw .invalidInput(message: "text is empty") }
    guard text.utf8.count <= Self.maxLength else {
      throw .invalidInput(message: "text is longer than \(Self.maxLength) bytes")
    }
    // A long text takes a while, and the handler runs on its connection's event loop: that computes elsewhere.
    let found = await withTaskExecutorPreference(globalConcurrentExecutor) { PersonalData.find(in: text) }
    if let found {
      throw .piiDetected(pattern: found.pattern, excerpt: found.excerpt)
    }
    if let wait = limiter.admit() { throw .rateLimitExceeded(limit: UInt32(limiter.limit), retryAfter: wait) }
    return try await Reflex.PreprocessError.catching {
      if let kept = try await kept(text) { return kept }
      let response = PreprocessResponse(text: text)
      await keep(response)
      return response
    }
  }

  /// The answer that a cache has for a text.
  private func kept(_ text: String) async throws(ReflexError) -> PreprocessResponse? {
    let bytes: [UInt8]?
    do {
      bytes = try await withFallback(when: { _ in secondary != nil }) {
        try await primary.value(text)
      } fallback: { error in
        logger.warning("primary cache failed, asking the secondary", metadata: Logger.Metadata().adding(error))
        return try await secondary?.value(text)
      }
    } catch {
      throw .cache(error: "\(error)", cause: error)
    }
    guard let bytes else { return nil }
    do {
      var response = try PreprocessResponse(decoding: bytes)
      response.cached = true
      return response
    } catch {
      throw .serialization(error: "\(error)", cause: error)
    }
  }

  /// Keeps an answer. That a cache cannot be written costs time later, and nothing now.
  private func keep(_ response: PreprocessResponse) async {
    do {
      try await primary.keep(response.encoded(), response.text)
    } catch {
      logger.warning("cache cannot be written", metadata: Logger.Metadata().adding(error))
    }
  }
}

extension String {
  /// Without white space at either end.
  fileprivate var trimmed: String {
    var rest = self[...].drop(while: \.isWhitespace)
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}

/// Where the reflex layer keeps its answers. An implementation may be far away, and may fail.
public protocol ReflexCache: Sendable {
  /// What is kept under a key; nil for nothing.
  func value(_ key: String) async throws -> [UInt8]?

  /// Keeps something under a key.
  func keep(_ value: [UInt8], _ key: String) async throws
}

/// A cache in memory, which forgets the oldest entries first.
public final class MemoryCache: ReflexCache {
  private struct Entries {
    var values: [String: [UInt8]] = [:]
    /// In the order in which they came.
    var keys: [String] = []
  }

  private let entries = Locked(Entries())
  private let capacity: Int

  /// A cache for `capacity` entries; at least 1.
  public init(capacity: Int = 1000) { self.capacity = max(1, capacity) }

  /// What is kept under a key; nil for nothing.
  public func value(_ key: String) async -> [UInt8]? {
    entries.withLock { $0.values[key] }
  }

  /// Keeps something under a key.
  public func keep(_ value: [UInt8], _ key: String) async {
    entries.withLock { entries in
      if entries.values.updateValue(value, forKey: key) == nil { entries.keys.append(key) }
      if entries.keys.count > capacity { entries.values[entries.keys.removeFirst()] = nil }
    }
  }
}
